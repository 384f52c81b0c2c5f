//! `make uninstall` beside `make install`.

use std::path::Path;
use std::process::Command;

use tests::{Machine, eventually};

use super::got_in;

/// Returns all files and links below a folder.
fn files_below(folder: &Path) -> Vec<String> {
    let found = Command::new("find")
        .args([".", "-not", "-type", "d"])
        .current_dir(folder)
        .output()
        .unwrap();
    String::from_utf8(found.stdout).unwrap().lines().map(str::to_owned).collect()
}

/// Each file that `make install` installs has a line in `make uninstall`.
#[test]
fn make_uninstall_removes_what_make_install_installed() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
    for prefix in ["/usr", "/opt/totp"] {
        let to = tempfile::tempdir().unwrap();
        let make = |target: &str, more: &str| {
            let ran = Command::new("make")
                .args(["-s", target, "BUILT=target/tested", &format!("PREFIX={prefix}")])
                .arg(format!("DESTDIR={}", to.path().display()))
                .args((!more.is_empty()).then_some(more))
                .current_dir(root)
                .output()
                .unwrap();
            (ran.status.success(), String::from_utf8(ran.stderr).unwrap())
        };
        assert!(make("install", "").0);
        let installed = files_below(to.path());
        assert!(installed.len() > 15, "{installed:?}");
        let stacks = to.path().join("etc/pam.d");
        std::fs::create_dir(&stacks).unwrap();
        std::fs::write(stacks.join("sshd"), "auth required pam_totp.so\n").unwrap();
        let (is_done, told) = make("uninstall", "PURGE=yes");
        assert!(!is_done && told.contains("etc/pam.d/sshd\n"), "{told}");
        assert_eq!(files_below(to.path()).len(), installed.len() + 1, "{told}");
        std::fs::write(stacks.join("sshd"), "# auth required pam_totp.so\n").unwrap();
        assert!(make("uninstall", "").0);
        let mut left = files_below(to.path());
        left.sort();
        assert_eq!(left, ["./etc/pam.d/sshd", "./etc/totpd/totpd.toml"], "{prefix}");
        assert!(to.path().join("var/lib/totpd").exists());
        assert!(make("uninstall", "PURGE=yes").0);
        assert_eq!(files_below(to.path()), ["./etc/pam.d/sshd"], "{prefix}");
        assert!(!to.path().join("var/lib/totpd").exists());
    }
}

#[test]
fn make_uninstall_ends_a_trial_and_the_daemon() {
    let machine = Machine::new();
    machine.enrolled("alice", 1);
    machine.run("mkdir -p /root/totp/scripts /root/totp/tests").stdout_ok();
    for (file, text) in [
        ("Makefile", include_str!("../../Makefile")),
        ("tests/harness.mk", include_str!("../harness.mk")),
        ("scripts/uninstall.sh", include_str!("../../scripts/uninstall.sh")),
    ] {
        machine.write(&format!("/root/totp/{file}"), text);
    }
    machine.run("chmod 755 /root/totp/scripts/uninstall.sh; rm -f /etc/pam.d/totp").stdout_ok();
    machine.run("totpctl enable su").stdout_ok();
    let refused = machine.run("make -C /root/totp uninstall");
    assert!(refused.status != 0 && refused.stderr.contains("  /etc/pam.d/su\n"), "{refused:#?}");
    assert!(machine.run("totpctl show alice").stdout_ok().contains("verified"));
    machine.run("totpctl disable su; (totpctl try sshd >/tmp/tried 2>&1 &)").stdout_ok();
    eventually("the trial starts", || {
        machine.run("totpctl try").stdout.contains("sshd is being tried until")
    });
    let daemon = machine.daemon().unwrap();
    machine.run("make -C /root/totp uninstall").stdout_ok();
    eventually("the daemon ends", || machine.run(&format!("test -e /proc/{daemon}")).status != 0);
    machine
        .run("! grep -r pam_totp /etc/pam.d && ! ls /usr/lib/*/security/pam_totp.so")
        .stdout_ok();
    machine.run("test ! -e /usr/bin/totpctl && test -s /var/lib/totpd/store.db").stdout_ok();
    assert!(got_in(&machine, "alice", ""));
}
