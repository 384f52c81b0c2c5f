//! `totpctl enable --guard`, `disable`, and what doctor says of a guard.

use serde_json::Value;
use tests::{Machine, pam};

use super::{NEEDS_CODE, phases};

const LINE: &str = "account required    pam_totp.so guard";

/// Returns the ids of problems and of notes.
fn doctor(machine: &Machine, service: &str) -> (Vec<String>, Vec<String>) {
    let ran = machine.run(&format!("totpctl --json doctor {service}"));
    let report: Value = serde_json::from_str(&ran.stdout).unwrap_or_else(|_| panic!("{ran:#?}"));
    let ids = |kind: &str| {
        let found = report["services"][service][kind]
            .as_array()
            .unwrap_or_else(|| panic!("{report:#}"))
            .iter();
        found.map(|finding| finding["id"].as_str().unwrap().to_owned()).collect()
    };
    (ids("problems"), ids("notes"))
}

/// Returns whether doctor says that a way in needs a code.
fn door(machine: &Machine, name: &str) -> String {
    let ran = machine.run("totpctl --json doctor sshd");
    let report: Value = serde_json::from_str(&ran.stdout).unwrap_or_else(|_| panic!("{ran:#?}"));
    let doors = report["doors"].as_array().unwrap_or_else(|| panic!("{report:#}"));
    let door = doors.iter().find(|door| door["door"] == name);
    door.unwrap_or_else(|| panic!("{doors:#?}"))["code"].as_str().unwrap().to_owned()
}

#[test]
fn totpctl_writes_the_guard_and_takes_it_back() {
    let machine = Machine::new();
    machine.enrolled("alice", 1);
    machine
        .run("sed -i 's/^PubkeyAuthentication no/PubkeyAuthentication yes/' /etc/ssh/sshd_config")
        .stdout_ok();
    assert_eq!(machine.restart_sshd(), "");
    let stack = || machine.run("cat /etc/pam.d/sshd").stdout_ok();
    let before = stack();
    assert_eq!(door(&machine, "ssh, publickey"), "not-asked");

    // A client with a key would be disconnected.
    let refused = machine.run("totpctl enable --guard sshd");
    let methods = "write AuthenticationMethods publickey,keyboard-interactive";
    assert!(refused.status == 1 && refused.text().contains(methods), "{refused:#?}");
    assert_eq!(stack(), before);
    let written = machine.run("totpctl enable --guard --even-so sshd");
    assert!(written.status == 0 && written.text().contains(&format!("+{LINE}")), "{written:#?}");
    assert_eq!(doctor(&machine, "sshd").0, ["sshd-guard-ends-logins"]);
    assert_eq!(door(&machine, "ssh, publickey"), "unanswerable");

    // With the line of the page it is right.
    let page = include_str!("../../docs/admin/guard.md");
    let line = "AuthenticationMethods publickey,keyboard-interactive";
    assert!(page.contains(&format!("20-methods.conf\n{line}\n")));
    machine.run(&format!("echo '{line}' >> /etc/ssh/sshd_config")).stdout_ok();
    assert_eq!(machine.restart_sshd(), "");
    // root has no password, and that is another problem.
    let problems = doctor(&machine, "sshd").0;
    assert!(!problems.iter().any(|id| id.contains("guard")), "{problems:?}");
    let again = machine.run("totpctl enable --guard sshd").text();
    assert!(again.contains("already configured"), "{again}");
    // The options of a guard follow those of the other line.
    machine.run("totpctl enable --guard --even-so --option nullok --option echo sshd").stdout_ok();
    let text = stack();
    assert!(text.contains(&format!("{LINE} nullok\n")), "{text}");
    assert!(text.contains("pam_totp.so nullok echo\n"), "{text}");
    let account = text.lines().find(|line| line.starts_with("account"));
    assert_eq!(account, Some(&*format!("{LINE} nullok")), "the first one");

    machine.run("totpctl disable sshd").stdout_ok();
    assert_eq!(stack(), before);
}

#[test]
fn login_and_cockpit_get_a_guard_and_no_other_service() {
    let machine = Machine::new();
    machine.enrolled("alice", 1);
    machine.service(
        "cockpit",
        "auth requisite pam_unix.so\naccount required pam_unix.so\nsession required pam_unix.so\n",
    );
    for service in ["login", "cockpit"] {
        machine.run(&format!("totpctl enable --guard {service}")).stdout_ok();
        let ran = phases(&machine, service, "alice", "account");
        assert_eq!(
            ran,
            [NEEDS_CODE.to_owned(), format!("account {}", pam::PERM_DENIED)],
            "{service}"
        );
        assert_eq!(doctor(&machine, service).0, [""; 0], "{service}");
    }
    for (service, reason) in [
        ("sudo", "while its ticket is valid"),
        ("su", "asks for account only after auth"),
        ("common-account", "common-account"),
    ] {
        let refused = machine.run(&format!("totpctl enable --guard {service}")).text();
        assert!(refused.contains(reason), "{service}: {refused}");
    }
    let refused = machine.run("totpctl enable --option guard login");
    assert!(refused.status == 2 && refused.text().contains("use --guard"), "{refused:#?}");
}

#[test]
fn doctor_names_a_guard_that_does_not_belong() {
    let machine = Machine::new();
    machine.enrolled("alice", 1);
    let rest = "account required pam_unix.so\n";
    let auth = "auth requisite pam_unix.so\nauth required pam_totp.so\n";
    for (name, text, expected) in [
        ("a", format!("{auth}account required pam_totp.so guard\n{rest}"), &[][..]),
        ("b", format!("{auth}account required pam_totp.so guard\n"), &["guard-shuts-out"]),
        ("c", format!("{auth}account sufficient pam_totp.so guard\n{rest}"), &["guard-passed-by"]),
        (
            "d",
            format!("{auth}account required pam_totp.so guard echo\n{rest}"),
            &["conflicting-module-options"],
        ),
        (
            "e",
            format!("auth requisite pam_unix.so\nauth required pam_totp.so guard\n{rest}"),
            &["guard-misplaced"],
        ),
        (
            "f",
            format!("{auth}account required pam_totp.so gaurd\n{rest}"),
            &["unknown-module-option"],
        ),
    ] {
        machine.service(name, &text);
        let (problems, notes) = doctor(&machine, name);
        assert_eq!(problems, expected, "{name}: {notes:?}");
    }
    machine
        .run("sed -i '1i account required pam_totp.so guard' /etc/pam.d/common-account")
        .stdout_ok();
    assert_eq!(doctor(&machine, "cron").0, ["guard-misplaced"]);
}

/// The stack of the page, as far as it says something of the second factor.
#[test]
fn the_block_of_the_page_refuses_a_login_without_a_code() {
    let page = include_str!("../../docs/admin/guard.md");
    let block = page.split("# /etc/pam.d/sshd\n").nth(1).unwrap().split("```").next().unwrap();
    let machine = Machine::new();
    machine.enrolled("alice", 1);
    machine.service("page", block);
    let denied = format!("account {}", pam::PERM_DENIED);
    assert_eq!(phases(&machine, "page", "alice", "account"), [NEEDS_CODE, &denied]);
    let steps = format!("answer={} auth account", machine.fresh_code("alice"));
    assert_eq!(phases(&machine, "page", "alice", &steps)[1..], ["auth 0", "account 0"]);
}

/// A guard that somebody wrote is as much in force as one of totpctl.
#[test]
fn a_guard_that_stands_by_hand_is_not_ignored() {
    let machine = Machine::new();
    machine.enrolled("alice", 1);
    machine.run(&format!("sed -i '1i {LINE}' /etc/pam.d/login")).stdout_ok();
    let enabled = machine.run("totpctl enable login");
    let told = "The guard of login refuses a login without a code, unless a rule or nullok";
    assert!(enabled.status == 0 && enabled.stderr.contains(told), "{enabled:#?}");
    let again = machine.run("totpctl enable login");
    assert!(
        again.stderr.contains("nothing is changed") && again.stderr.contains(told),
        "{again:#?}"
    );
    // Both lines, or nullok would let in nobody.
    machine.run("totpctl enable login --option nullok").stdout_ok();
    let stack = machine.run("cat /etc/pam.d/login").stdout_ok();
    assert!(stack.contains(&format!("{LINE} nullok\n")), "{stack}");
    let mut lines = stack.lines().filter(|line| line.contains("pam_totp.so"));
    assert!(lines.all(|line| line.ends_with("nullok")), "{stack}");
    machine.run("totpctl disable login").stdout_ok();
    machine.run(&format!("sed -i '1i {LINE}' /etc/pam.d/login")).stdout_ok();
    machine
        .run("echo '1:2345:respawn:/sbin/agetty --autologin bob tty1' > /etc/inittab")
        .stdout_ok();
    let refused = machine.run("totpctl enable login");
    assert!(
        refused.status == 1 && refused.stderr.contains("ends automatic logins"),
        "{refused:#?}"
    );
}
