//! Services of one program, and services that would be left without a line that asks.

use super::*;

fn has_option(machine: &Machine, service: &str, option: &str) -> bool {
    let line = machine.run(&format!("grep pam_totp.so /etc/pam.d/{service}")).stdout_ok();
    line.contains(option)
}

/// What `sudo` no longer lets in, `sudo -i` does not let in either.
#[test]
fn services_of_one_program_change_together() {
    let (machine, _) = machine();
    for (named, other) in [("sudo", "sudo-i"), ("sudo-i", "sudo")] {
        let enabled =
            machine.run(&format!("totpctl enable {named} --option nullok 2>&1")).stdout_ok();
        assert!(enabled.contains(" ask for a code now. "), "{enabled}");
        let tightened =
            machine.run(&format!("totpctl enable {named} --no-options --even-so 2>&1")).stdout_ok();
        assert!(tightened.contains("Can no longer log in (--even-so): "), "{tightened}");
        for service in [named, other] {
            assert!(!has_option(&machine, service, "nullok"), "{service} {tightened}");
        }
        machine.run(&format!("totpctl disable {named}")).stdout_ok();
        machine.run(&format!("! grep pam_totp /etc/pam.d/{named} /etc/pam.d/{other}")).stdout_ok();
    }
    // su-l includes su, so one line is enough.
    machine.run("totpctl enable su-l --option nullok").stdout_ok();
    assert!(has_option(&machine, "su", "nullok"));
    machine.run("! grep pam_totp /etc/pam.d/su-l && totpctl disable su-l").stdout_ok();
    machine.run("! grep pam_totp /etc/pam.d/su").stdout_ok();
    // A new line has the options of the other one.
    machine
        .run("totpctl enable sudo --option nullok; sed -i /pam_totp/d /etc/pam.d/sudo-i")
        .stdout_ok();
    machine.run("totpctl enable sudo-i").stdout_ok();
    assert!(has_option(&machine, "sudo-i", "nullok"));
    // By hand they may differ, and doctor says so.
    machine.run("sed -i s/.nullok// /etc/pam.d/sudo").stdout_ok();
    let doctor = machine.run("totpctl doctor sudo");
    assert!(
        doctor.status == 1 && doctor.stdout.contains("[sibling-options-differ]"),
        "{doctor:#?}"
    );
    let same = machine.run("totpctl enable sudo 2>&1").stdout_ok();
    assert!(same.contains("sudo has no options, and sudo-i keeps nullok"), "{same}");
}

/// The second file cannot be written, after the first one was.
#[test]
fn a_file_that_cannot_be_changed_leaves_the_others_as_they_were() {
    let (machine, _) = machine();
    let block = "mkdir /etc/pam.d/.sudo-i.totpctl-new";
    let reason = "cannot change /etc/pam.d/sudo-i: ";
    machine.run(block).stdout_ok();
    assert_refused(&machine, "totpctl enable sudo --option nullok", reason);
    machine.run("rmdir /etc/pam.d/.sudo-i.totpctl-new").stdout_ok();
    machine.run("totpctl enable sudo --option nullok").stdout_ok();
    machine.run(block).stdout_ok();
    assert_refused(&machine, "totpctl disable sudo", reason);
}

#[test]
fn a_service_keeps_a_line_that_asks_who_a_user_is() {
    let (machine, _) = machine();
    let by_hand = "sed -i 's/^@include common-auth/auth required pam_totp.so/' /etc/pam.d/";
    for service in ["sshd", "sudo"] {
        machine.run(&format!("{by_hand}{service}")).stdout_ok();
        let command = format!("totpctl disable {service}");
        let ran = assert_refused(&machine, &command, "no line is left that asks who a user is");
        assert!(ran.stderr.contains("write \"@include common-auth\" by hand"), "{ran:#?}");
    }
}

#[test]
fn a_user_who_cannot_log_in_anyway_does_not_block_and_sudoers_are_named() {
    let (machine, _) = machine();
    machine
        .run("passwd -l root; for user in bob carol; do totpctl enroll $user --no-confirm; done")
        .stdout_ok();
    machine.run("echo 'bob ALL=(ALL) NOPASSWD: ALL' > /etc/sudoers.d/90-cloud").stdout_ok();
    let enabled = machine.run("totpctl enable sudo --option nullok 2>&1").stdout_ok();
    assert!(enabled.contains("sudo does not ask: "), "{enabled}");
    assert!(enabled.contains("bob (NOPASSWD, /etc/sudoers.d/90-cloud:1)"), "{enabled}");
    // Others of this machine may have no factor: the names of the refusal leave out root.
    let tightened = machine.run("totpctl enable sudo --no-options 2>&1").stdout;
    let named = tightened.split("could no longer log in: ").nth(1).unwrap_or_default();
    assert!(!named.contains("root"), "{tightened}");
}
