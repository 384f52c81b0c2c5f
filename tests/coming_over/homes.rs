//! `--all-homes`: homes are hostile ground.

use tests::{Machine, Seed};

#[test]
fn no_home_has_root_read_what_is_not_its_own() {
    let machine = Machine::new();
    machine.service("ssh-like", "@include ga-part\n");
    machine.service("ga-part", "auth required pam_google_authenticator.so secret=${HOME}/.ga\n");
    let seed = Seed::numbered(9600);
    machine.write("/home/alice/.ga", &format!("{}\n\" TOTP_AUTH\n\" DISALLOW_REUSE\n", seed.0));
    machine
        .run(
            "chown alice /home/alice/.ga; chmod 400 /home/alice/.ga
             ln -s /etc/shadow /home/bob/.ga; setpriv --reuid carol mkfifo /home/carol/.ga 2>/dev/null || \
             { mkfifo /home/carol/.ga; chown carol /home/carol/.ga; }",
        )
        .stdout_ok();
    let imported = machine.run("timeout 20 totpctl import google-authenticator --all-homes");
    assert_eq!(imported.status, 1, "{imported:#?}");
    assert!(imported.stdout.contains("alice: imported"), "{imported:#?}");
    for (user, reason) in [("bob", "symbolic link"), ("carol", "no regular file")] {
        let line = imported.stderr.lines().find(|line| line.contains(&format!("{user}: /home/")));
        assert!(line.is_some_and(|line| line.contains(reason)), "{user}: {imported:#?}");
    }
    assert_eq!(machine.pam("totp", "alice", &seed.code()).run().rc, 0);
    let again = machine
        .run("rm /home/bob/.ga /home/carol/.ga; totpctl import google-authenticator --all-homes");
    assert!(again.stdout_ok().contains("alice: imported before, unchanged"));
}

#[test]
fn the_reader_has_no_rights_of_root() {
    let machine = Machine::new();
    // A program in its place, which says who it is.
    machine.write(
        "/usr/libexec/totp-import",
        "#!/bin/sh\n{ id -u; ls -l /proc/self/fd; env; } > /root/reader; exit 2\n",
    );
    machine.run("chmod 755 /usr/libexec/totp-import; echo x > /root/file").stdout_ok();
    let refused = machine.run("totpctl import oath /root/file");
    assert_eq!(refused.status, 1, "{refused:#?}");
    assert!(refused.stderr.contains("nothing of the file was taken"), "{refused:#?}");
    let reader = machine.run("cat /root/reader").stdout_ok();
    assert!(!reader.contains("/root/file"), "{reader}");
    for variable in ["HOME=", "SUDO_", "TERM="] {
        assert!(!reader.contains(variable), "{reader}");
    }
}
