//! Passwords that are enough, that are missing, and that stand beside two questions for a code.

use tests::{Machine, eventually};

use super::is_problem;

#[test]
fn a_password_that_is_enough_although_passwords_are_off_is_named() {
    let machine = Machine::new();
    machine.enrolled("alice", 1);
    let id = "sshd-password-alone";
    let told = "Passwords alone let users in by ssh now";
    assert_eq!(is_problem(&machine, id), Some(true));
    machine.run("totpctl enable sshd").stdout_ok();
    assert_eq!(is_problem(&machine, id), None);
    let disabled = machine.run("totpctl disable sshd");
    assert!(disabled.status == 0 && disabled.stderr.contains(told), "{disabled:#?}");
    machine.run("totpctl try sshd >/tmp/tried 2>&1 & echo").stdout_ok();
    eventually("the trial starts", || {
        machine.run("totpctl try").stdout.contains("sshd is being tried until")
    });
    let undone = machine.run("totpctl try --undo");
    assert!(undone.status == 0 && undone.stderr.contains(told), "{undone:#?}");
    machine
        .run(
            "sed -i 's/^PasswordAuthentication no/PasswordAuthentication yes/' /etc/ssh/sshd_config; \
             kill -HUP $(cat /run/sshd.pid)",
        )
        .stdout_ok();
    assert_eq!(is_problem(&machine, id), None);
    machine.run("totpctl enable sshd").stdout_ok();
    assert!(!machine.run("totpctl disable sshd").stderr.contains(told));
}

#[test]
fn a_password_that_is_enough_in_a_block_is_named() {
    let machine = Machine::new();
    machine.enrolled("alice", 1);
    let id = "sshd-match-password-alone";
    machine
        .run(
            "sed -i 's/^PasswordAuthentication no/PasswordAuthentication yes/' /etc/ssh/sshd_config
             printf 'Match Address 127.0.0.1\n PasswordAuthentication no\n' >> /etc/ssh/sshd_config
             kill -HUP $(cat /run/sshd.pid)",
        )
        .stdout_ok();
    assert_eq!(is_problem(&machine, id), Some(true));
    machine.run("totpctl enable sshd").stdout_ok();
    assert_eq!(is_problem(&machine, id), None);
    let told = "by ssh now in Match Address 127.0.0.1, although PasswordAuthentication is no";
    let disabled = machine.run("totpctl disable sshd");
    assert!(disabled.stderr.contains(told), "{disabled:#?}");
}

#[test]
fn users_without_a_password_that_sshd_requires_are_named() {
    let machine = Machine::new();
    machine.enrolled("alice", 1);
    machine
        .run(
            "usermod -p '!' alice; usermod -p '!' bob\n\
             sed -i 's/^PubkeyAuthentication no/PubkeyAuthentication yes/' /etc/ssh/sshd_config\n\
             echo 'AuthenticationMethods publickey,keyboard-interactive' >> /etc/ssh/sshd_config\n\
             kill -HUP $(cat /run/sshd.pid)",
        )
        .stdout_ok();
    let id = "sshd-password-missing";
    assert_eq!(is_problem(&machine, id), Some(true));
    for command in ["enable", "try"] {
        let ran = machine.run(&format!("totpctl {command} sshd"));
        let is_told = ran.stderr.contains("so users without one cannot log in: ")
            && ran.stderr.contains("alice")
            && ran.stderr.contains("bob")
            && !ran.stderr.contains("carol");
        assert!(ran.status == 1 && is_told, "{ran:#?}");
    }
    // The code alone, after the key.
    machine.run("sed -i 's/^@include common-auth/auth required pam_totp.so/' /etc/pam.d/sshd");
    assert_eq!(is_problem(&machine, id), None);
}

#[test]
fn a_password_that_is_enough_for_root_is_named() {
    let machine = Machine::new();
    machine.enrolled("alice", 1);
    machine.run("rm -f /etc/pam.d/totp; echo root:rootpw | chpasswd").stdout_ok();
    let id = "sshd-root-password-alone";
    assert_eq!(is_problem(&machine, id), Some(false), "no service asks yet");
    machine.run("totpctl enable sudo").stdout_ok();
    assert_eq!(is_problem(&machine, id), Some(true));
    machine.run("passwd -l root").stdout_ok();
    assert_eq!(is_problem(&machine, id), None);
    machine.run("passwd -u root; totpctl enable sshd").stdout_ok();
    assert_eq!(is_problem(&machine, id), None);
}

#[test]
fn a_line_beside_a_profile_asks_twice() {
    let machine = Machine::new();
    machine.enrolled("alice", 1);
    machine
        .run("totpctl enable sshd; echo 'auth required pam_totp.so nullok' >> /etc/pam.d/common-auth")
        .stdout_ok();
    assert_eq!(is_problem(&machine, "code-asked-twice"), Some(true));
    assert_eq!(is_problem(&machine, "nullok-without-effect"), None);
    let enable = machine.run("totpctl enable sshd");
    assert!(enable.status == 1 && enable.stderr.contains("both ask for the code"), "{enable:#?}");
    let disable = machine.run("totpctl disable sshd");
    assert!(disable.stderr.contains("common-auth:"), "{disable:#?}");
    assert!(disable.stderr.contains("still asks for the code"), "{disable:#?}");
    assert_eq!(is_problem(&machine, "code-asked-twice"), None);
    assert!(machine.run("totpctl doctor sshd").stdout.contains("sshd: asks for a code"));
}
