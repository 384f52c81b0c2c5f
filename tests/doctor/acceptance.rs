//! `totpctl doctor accept`: findings that are meant, and `totpctl doctor --explain`.

use serde_json::Value;
use tests::{JsonSchema, Machine};

use super::doctor;

const FILE: &str = "/etc/totpd/accepted.toml";

/// Returns a machine with a service that a key of another kind enters without a code.
fn machine() -> Machine {
    let machine = Machine::new();
    machine.enrolled("alice", 1);
    machine.service("meant", "auth sufficient pam_permit.so\nauth required pam_totp.so nodelay\n");
    machine
}

const ACCEPT: &str =
    "totpctl doctor accept stack-skips-code --service meant --reason 'a YubiKey, or a code'";

#[test]
fn an_accepted_finding_is_no_problem_until_its_line_changes() {
    let machine = machine();
    let before = doctor(&machine, "meant");
    assert!(before.status == 1 && before.stdout.contains("[stack-skips-code]"), "{before:#?}");
    machine.run(&format!("{ACCEPT} --until 2099-01-15")).stdout_ok();
    let stat = machine.run(&format!("stat -c '%a %U %G' {FILE}")).stdout_ok();
    assert_eq!(stat, "644 root root\n");

    let accepted = doctor(&machine, "meant");
    assert_eq!(accepted.status, 0, "{accepted:#?}");
    for part in ["  accepted: ", "(a YubiKey, or a code; by ", ", until 2099-01-15)"] {
        assert!(accepted.stdout.contains(part), "{part}: {accepted:#?}");
    }
    let text = machine.run("totpctl --json doctor meant").stdout_ok();
    let object = &JsonSchema::of_totpctl().check("doctor", &text)[0];
    assert_eq!((&object["problem_count"], &object["accepted_count"]), (&0.into(), &1.into()));
    let finding = &object["services"]["meant"]["accepted"][0];
    assert_eq!((&finding["line"], &finding["file"]), (&1.into(), &"/etc/pam.d/meant".into()));
    assert_eq!(finding["accepted"]["until"], Value::from("2099-01-15"));
    // The same line of another service is not meant.
    machine.service("other-one", "auth sufficient pam_permit.so\nauth required pam_totp.so\n");
    assert_eq!(doctor(&machine, "other-one").status, 1);

    for (change, remark) in [
        ("sed -i '1s/$/ debug/'", "accepted it before it was changed"),
        ("sed -i '1i # a line more'", "accepted it at line 1"),
    ] {
        machine.run(&format!("cp /etc/pam.d/meant /root/; {change} /etc/pam.d/meant")).stdout_ok();
        let changed = doctor(&machine, "meant");
        assert!(changed.status == 1, "{change}: {changed:#?}");
        assert!(changed.stdout.contains(remark), "{changed:#?}");
        let list = machine.run("totpctl doctor accept --list").stdout_ok();
        assert!(list.contains("changed"), "{list}");
        machine.run("cp /root/meant /etc/pam.d/meant").stdout_ok();
        assert_eq!(doctor(&machine, "meant").status, 0);
    }
    machine.run(&format!("sed -i s/2099-01-15/2020-01-15/ {FILE}")).stdout_ok();
    let over = doctor(&machine, "meant");
    assert!(over.status == 1 && over.stdout.contains("until 2020-01-15 only"), "{over:#?}");
    machine.run(ACCEPT).stdout_ok();
    assert_eq!(doctor(&machine, "meant").status, 0, "accepted again");
    machine.run("totpctl doctor accept --remove stack-skips-code").stdout_ok();
    assert_eq!(doctor(&machine, "meant").status, 1);
    let again = machine.run("totpctl doctor accept --remove stack-skips-code");
    assert!(again.status == 1 && again.stderr.contains("is not accepted"), "{again:#?}");
}

#[test]
fn what_shuts_out_and_what_is_not_found_cannot_be_accepted() {
    let machine = machine();
    machine.service("gone", "auth required /no/such/pam_totp.so\n");
    machine.service("shut", "auth required pam_totp.so\nauth required pam_deny.so\n");
    machine.service("second", "auth sufficient pam_permit.so\nauth required pam_totp.so\n");
    for (arguments, status, told) in [
        ("module-not-installed --service gone --reason x", 1, "the module is missing"),
        ("nobody-can-log-in --service shut --reason x", 1, "it shuts everybody out"),
        ("store-permissions --reason x", 1, "cannot be accepted"),
        ("stack-skips-code --reason x", 1, "choose one by --service, --file and --line"),
        ("stack-overrules-code --service meant --reason x", 1, "does not find"),
        ("stack-skips-cod --reason x", 2, "there is no finding"),
        ("stack-skips-code --service meant --reason ''", 2, "--reason is empty"),
        ("stack-skips-code --service meant", 2, "--reason"),
        ("stack-skips-code --service meant --reason x --until 2020-01-15", 2, "is over"),
        ("stack-skips-code --service meant --reason x --until soon", 2, "write 2027-01-15"),
        ("stack-skips-code --service meant --reason x --line 1", 2, "--file"),
    ] {
        let ran = machine.run(&format!("totpctl doctor accept {arguments}"));
        assert!(ran.status == status && ran.stderr.contains(told), "{arguments}: {ran:#?}");
    }
    let user = machine.run_as("alice", ACCEPT);
    assert!(user.status == 4 && user.stderr.contains("only root"), "{user:#?}");
    machine.run(&format!("test ! -e {FILE}")).stdout_ok();
}

#[test]
fn a_faulty_file_accepts_nothing() {
    let machine = machine();
    machine.run(ACCEPT).stdout_ok();
    for (fault, told) in [
        (format!("sed -i 's/^reason/reasons/' {FILE}"), "/etc/totpd/accepted.toml:"),
        (format!("sed -i 's/stack-skips-code/nobody-can-log-in/' {FILE}"), "cannot be accepted"),
        (format!("chmod 666 {FILE}"), "users other than root can change it"),
    ] {
        machine.run(&format!("cp -p {FILE} /root/good; {fault}")).stdout_ok();
        let ran = doctor(&machine, "meant");
        assert!(ran.status == 1, "{fault}: {ran:#?}");
        for part in [told, "[acceptances-invalid]", "[stack-skips-code]"] {
            assert!(ran.stdout.contains(part), "{fault}: {part}: {ran:#?}");
        }
        let accept = machine.run(ACCEPT);
        assert!(accept.status == 1 && accept.stderr.contains(told), "{fault}: {accept:#?}");
        machine.run(&format!("rm {FILE}; cp -p /root/good {FILE}")).stdout_ok();
        assert_eq!(doctor(&machine, "meant").status, 0, "{fault}");
    }
}

#[test]
fn a_finding_is_explained() {
    let machine = Machine::new();
    let told = machine.run("totpctl doctor --explain stack-skips-code").stdout_ok();
    for part in ["What it means: ", "Why it matters: ", "What to do: ", "doctor accept"] {
        assert!(told.contains(part), "{part}: {told}");
    }
    let unknown = machine.run("totpctl doctor --explain stack-skips");
    assert!(unknown.status == 2 && unknown.stderr.contains("stack-skips-code"), "{unknown:#?}");
}

#[test]
fn a_new_line_before_an_accepted_one_is_new() {
    let machine = Machine::new();
    machine.enrolled("alice", 1);
    machine.run("totpctl enable sudo").stdout_ok();
    let rules = "/etc/sudoers.d/50";
    machine.write(rules, "bob ALL=(ALL) NOPASSWD: /usr/bin/id\n");
    machine.run("totpctl doctor accept sudoers-exception --reason meant").stdout_ok();
    assert!(doctor(&machine, "sudo").stdout.contains("  accepted: /etc/sudoers.d/50:1: "));
    machine.run(&format!("sed -i '1i carol ALL=(ALL) NOPASSWD: ALL' {rules}")).stdout_ok();
    let told = doctor(&machine, "sudo").stdout;
    let line = |place: &str| told.lines().find(|line| line.contains(place)).unwrap_or_default();
    let (new, moved) = (line("/etc/sudoers.d/50:1: "), line("/etc/sudoers.d/50:2: "));
    assert!(new.contains("carol") && !new.contains("accepted it"), "{told}");
    assert!(moved.contains("bob") && moved.contains("accepted it at line 1"), "{told}");
    machine.run(&format!("sed -i 2d {rules}")).stdout_ok();
    let told = doctor(&machine, "sudo").stdout;
    assert!(told.contains("accepted it before it was changed"), "{told}");
}

#[test]
fn an_acceptance_ends_with_a_user_whom_the_message_leaves_out() {
    let machine = Machine::new();
    machine.enrolled("alice", 1);
    machine.run("for n in $(seq 10 30); do useradd u$n; done").stdout_ok();
    machine.service("meant", "auth requisite pam_permit.so\nauth required pam_totp.so nullok\n");
    let is_accepted = || {
        let found = doctor(&machine, "meant").stdout;
        let line = found.lines().find(|line| line.contains("[users-not-yet-enrolled]"));
        line.expect(&found).trim_start().starts_with("accepted: ")
    };
    let accept = "totpctl doctor accept users-not-yet-enrolled --reason x";
    machine.run(accept).stdout_ok();
    assert!(is_accepted());
    machine.run("userdel u30; useradd zmallory").stdout_ok();
    assert!(!is_accepted());
}
