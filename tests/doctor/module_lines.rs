//! Lines of pam_totp.so that shut everybody out: doctor names each, and enable does not write it.

use tests::Machine;

use super::doctor;

#[test]
fn a_line_that_denies_every_login_is_named_and_refused() {
    let machine = Machine::new();
    machine.enrolled("alice", 1);
    machine.run("totpctl enable sshd --even-so; cp /etc/pam.d/sshd /root/good").stdout_ok();
    let auth = |options: &str| {
        format!("sed -i '/^auth.*pam_totp/s/pam_totp.so.*/pam_totp.so {options}/' /etc/pam.d/sshd")
    };
    let append = |line: &str| format!("echo '{line}' >>/etc/pam.d/sshd");
    for (change, id) in [
        (auth("timeout=61"), "option-invalid"),
        (auth("timeout=5 timeout=5s"), "option-invalid"),
        (append("account required pam_totp.so timeout="), "option-invalid"),
        (auth("use_first_pass"), "first-pass-is-password"),
        (append("session required pam_totp.so"), "module-misplaced"),
    ] {
        machine.run(&change).stdout_ok();
        let login = machine.ssh("alice", &machine.fresh_code("alice")).run();
        assert!(!login.got_in, "{change}");
        let found = doctor(&machine, "sshd");
        assert!(found.status == 1 && found.stdout.contains(&format!("[{id}]")), "{found:#?}");
        machine.run("cp /root/good /etc/pam.d/sshd").stdout_ok();
    }
    assert_eq!(doctor(&machine, "sshd").status, 0);
    assert!(machine.ssh("alice", &machine.fresh_code("alice")).run().got_in);

    for (option, status, told) in [
        ("timeout=61", 2, "must be 1 to 60 seconds"),
        ("timeout=", 2, "must be 1 to 60 seconds"),
        ("use_first_pass", 1, "remove use_first_pass"),
        ("try_first_pass", 1, "leave it out"),
    ] {
        for command in ["enable", "try"] {
            let ran = machine.run(&format!("totpctl {command} sshd --option {option} --even-so"));
            assert!(ran.status == status && ran.stderr.contains(told), "{option}: {ran:#?}");
        }
    }
    assert_eq!(machine.run("cmp /root/good /etc/pam.d/sshd").status, 0);
    // A line that is there already keeps its options, so it is refused too.
    machine.run(&auth("timeout=61")).stdout_ok();
    let kept = machine.run("totpctl enable sshd --even-so");
    assert!(kept.status == 1 && kept.stderr.contains("/etc/pam.d/sshd:"), "{kept:#?}");
}

#[test]
fn a_line_that_only_misleads_is_a_note() {
    let machine = Machine::new();
    machine.enrolled("alice", 1);
    machine.run("totpctl enable sshd --even-so").stdout_ok();
    machine
        .run(
            "echo 'session optional pam_totp.so' >>/etc/pam.d/sshd; \
             sed -i '/^auth.*pam_totp/s/$/ try_first_pass/' /etc/pam.d/sshd",
        )
        .stdout_ok();
    let found = doctor(&machine, "sshd");
    assert_eq!(found.status, 0, "{found:#?}");
    for id in ["[module-misplaced]", "[password-tried-as-code]"] {
        assert!(found.stdout.contains(id), "{found:#?}");
    }
    assert!(machine.ssh("alice", &machine.fresh_code("alice")).run().got_in);

    // A service that asks for no code, but cannot change a password.
    let line = "password [default=die] pam_totp.so";
    machine.run(&format!("sed -i '1i {line}' /etc/pam.d/passwd")).stdout_ok();
    let all = doctor(&machine, "");
    assert!(
        all.status == 1 && all.stdout.contains("this line makes a failure of that"),
        "{all:#?}"
    );
}
