//! `totpctl doctor`, on stacks as they are and as people break them.

use tests::{Machine, Output, eventually, pam};

mod acceptance;
mod distributions;
mod module_lines;
mod nobody;
mod roll_out;
mod valid_factors;

fn doctor(machine: &Machine, services: &str) -> Output {
    machine.run(&format!("totpctl doctor {services}"))
}

#[test]
fn a_service_that_this_host_does_not_have_is_an_error() {
    let machine = Machine::new();
    let unknown = "no PAM service of that name";
    for (name, words) in
        [("nosuch", unknown), ("sssh", unknown), ("a/b", unknown), ("''", "SERVICE is empty")]
    {
        let told = doctor(&machine, name);
        assert!(told.status == 2 && told.stdout.is_empty(), "{name}: {told:#?}");
        assert!(told.stderr.contains(words), "{name}: {told:#?}");
    }
    assert!(doctor(&machine, "sssh").stderr.contains("similar names: sshd"));
    let json = machine.run("totpctl --json doctor nosuch");
    assert!(json.status == 2 && json.stdout.contains(r#""code":"usage""#), "{json:#?}");
    // Known to doctor, although it has no file.
    assert_eq!(doctor(&machine, "gdm-password").status, 0);
}

#[test]
fn other_users_do_not_read_that_rescue_mode_is_open() {
    let machine = Machine::new();
    machine.run("echo root:rootpw | chpasswd").stdout_ok();
    let line = |text: &str| {
        text.lines().find(|line| line.contains("rescue mode")).unwrap_or_default().to_owned()
    };
    let root = line(&doctor(&machine, "").stdout);
    assert!(root.contains("does not ask for a code"), "{root}");
    let bob = line(&machine.run_as("bob", "totpctl doctor").stdout);
    assert!(bob.contains("not known: ") && bob.contains("only root can see"), "{bob}");
}

#[test]
fn doctor_approves_the_readme_and_names_a_broken_line() {
    let machine = Machine::new();
    machine.enrolled("alice", 1);
    // The sshd of the machine takes passwords, although it has turned off the method of that name.
    let before = doctor(&machine, "sshd sudo");
    let found: Vec<_> = before.stdout.lines().filter(|line| line.contains("problem: ")).collect();
    assert!(matches!(found[..], [one] if one.ends_with("[sshd-password-alone]")), "{before:#?}");
    assert!(before.stdout.contains("sshd: does not ask for a code\n"), "{before:#?}");
    assert!(!before.stdout.contains("users without a factor"), "{before:#?}");

    machine
        .run("sed -i '/^@include common-auth/a auth    required    pam_totp.so' /etc/pam.d/sshd /etc/pam.d/sudo")
        .stdout_ok();
    // sudo -i has a name of its own.
    let half = doctor(&machine, "sudo");
    assert!(half.status == 1 && half.stdout.contains("totpctl enable sudo-i"), "{half:#?}");
    machine.run("totpctl enable sudo-i").stdout_ok();
    let good = doctor(&machine, "");
    assert_eq!(good.status, 0, "{good:#?}");
    for line in
        ["sshd: asks for a code\n", "sudo: asks for a code\n", "su: does not ask for a code\n"]
    {
        assert!(good.stdout.contains(line), "{line} {good:#?}");
    }
    assert!(good.stdout.contains("this host: totpd ") && good.stdout.contains(" answers"));
    let shut_out = good.stdout.split("users without a factor, who cannot log in").nth(1).unwrap();
    let shut_out = shut_out.lines().next().unwrap();
    assert!(shut_out.starts_with(" (sshd, sudo, sudo-i): "), "{good:#?}");
    assert!(shut_out.contains("bob, carol") && !shut_out.contains("alice"), "{good:#?}");
    // The password of root is locked here, so only a stack without one counts it.
    assert!(!shut_out.contains("root") && good.stdout.contains("(totp): root, "), "{good:#?}");

    // The password is enough, or the code may be wrong: what doctor says is what libpam does.
    machine
        .service("skipped", "auth sufficient pam_permit.so\nauth required pam_totp.so nodelay\n");
    let skipped = doctor(&machine, "skipped");
    assert_eq!(skipped.status, 1, "{skipped:#?}");
    assert!(skipped.stdout.contains("skipped: CAN BE ENTERED WITHOUT A CODE"), "{skipped:#?}");
    assert!(skipped.stdout.contains("/etc/pam.d/skipped:1: success of pam_permit"), "{skipped:#?}");
    assert_eq!(machine.pam("skipped", "alice", "000000").run().rc, pam::SUCCESS);
    machine
        .service("overruled", "auth required pam_permit.so\nauth optional pam_totp.so nodelay\n");
    let overruled = doctor(&machine, "overruled");
    assert!(
        overruled.stdout.contains("/etc/pam.d/overruled:2: a login succeeds"),
        "{overruled:#?}"
    );
    assert_eq!(machine.pam("overruled", "alice", "000000").run().rc, pam::SUCCESS);
    machine.service("shut", "auth requird pam_totp.so\nauth required pam_permit.so\n");
    let shut = doctor(&machine, "shut");
    assert!(shut.stdout.contains("shut: lets nobody in"), "{shut:#?}");
    assert!(shut.stdout.contains("libpam cannot read \"requird\""), "{shut:#?}");
    for (service, stack, told) in [
        ("refused", "@include no-such-file\n", "cannot include no-such-file: no such file"),
        ("endless", "auth include endless\n", "the file includes itself"),
        ("typo", "auth required pam_totp.so nulok\n", "has no option \"nulok\""),
        ("gone", "auth required /no/such/pam_totp.so\n", "is not installed, so nobody can log in"),
        ("bare", "auth required pam_totp\n", "so nobody can log in; write pam_totp.so"),
        ("dash", "auth required pam-totp.so\n", "dash:1: pam-totp.so is not installed, so no path"),
    ] {
        machine.service(service, stack);
        let ran = doctor(&machine, service);
        assert!(ran.status == 1 && ran.stdout.contains(told), "{service}: {ran:#?}");
    }
    machine.service("closed", "auth required pam_deny.so\n");
    assert_eq!(doctor(&machine, "closed").status, 0);
    machine.service("without", "account required pam_permit.so\n");
    let without = doctor(&machine, "without").stdout;
    assert!(without.contains("no line under auth; libpam uses those of \"other\""), "{without}");
    // Doctor without arguments finds each service that asks, or tries to.
    let all = doctor(&machine, "");
    assert!(all.status == 1 && all.stdout.contains("\noverruled: "), "{all:#?}");

    let json = machine.run("totpctl --json doctor sshd skipped");
    assert_eq!(json.status, 1, "{json:#?}");
    let told: String = json.stdout.lines().collect();
    assert!(told.contains("\"sshd\":{\"asks\":true,\"summary\":[\"asks for a code\"]"), "{told}");
    assert!(told.contains("\"problem_count\":1,\"accepted_count\":0}"), "{told}");
}

#[test]
fn an_sshd_that_never_asks_is_found() {
    let machine = Machine::new();
    machine.enrolled("alice", 1);
    machine
        .run("sed -i '/^@include common-auth/a auth required pam_totp.so' /etc/pam.d/sshd")
        .stdout_ok();
    assert_eq!(doctor(&machine, "sshd").status, 0);
    // Without a running sshd, its files are all there is.
    machine.run("kill $(cat /run/sshd.pid)").stdout_ok();
    eventually("sshd ends", || machine.run("test -e /run/sshd.pid").status != 0);
    for (line, told) in [
        ("UsePAM no", "UsePAM yes"),
        ("KbdInteractiveAuthentication no", "KbdInteractiveAuthentication yes"),
        ("Nonsense", "sshd cannot read its configuration"),
    ] {
        machine.run("cp /etc/ssh/sshd_config /root/good").stdout_ok();
        let key = line.split(' ').next().unwrap();
        machine
            .run(&format!(
                "sed -i '/^{key}/d' /etc/ssh/sshd_config; echo '{line}' >> /etc/ssh/sshd_config"
            ))
            .stdout_ok();
        let ran = doctor(&machine, "sshd");
        assert!(ran.status == 1 && ran.stdout.contains(told), "{line}: {ran:#?}");
        machine.run("cp /root/good /etc/ssh/sshd_config").stdout_ok();
    }
    machine
        .run("sed -i 's/^PubkeyAuthentication no/PubkeyAuthentication yes/' /etc/ssh/sshd_config")
        .stdout_ok();
    let key = doctor(&machine, "sshd");
    assert!(key.status == 0 && key.stdout.contains("a key alone is enough"), "{key:#?}");
    for (block, status, told) in [
        ("User git\nKbdInteractiveAuthentication no", 0, "User git cannot be asked for a code"),
        ("Address 10.0.0.0/8\nAuthenticationMethods publickey", 0, "10.0.0.0/8 asks for no code"),
        (
            "Group alice\nKbdInteractiveAuthentication no\nAuthenticationMethods keyboard-interactive",
            1,
            "problem: /etc/ssh/sshd_config.d/9.conf:1: Match Group alice lets nobody in",
        ),
        ("RDomain vrf0\nKbdInteractiveAuthentication no", 0, "RDomain vrf0 cannot be asked"),
        ("User git\nX11Forwarding no", 0, "a key alone is enough"),
    ] {
        machine.write("/etc/ssh/sshd_config.d/9.conf", &format!("Match {block}\n"));
        machine.write("/etc/ssh/sshd_config", "Include sshd_config.d/*.conf\nUsePAM yes\n");
        let ran = doctor(&machine, "sshd");
        assert!(ran.status == status && ran.stdout.contains(told), "{block}: {ran:#?}");
    }
}

#[test]
fn doctor_reports_a_missing_daemon_and_no_enrolled_user() {
    let machine = Machine::new();
    machine.service("totp", "auth required pam_totp.so\n");
    let nobody = doctor(&machine, "totp");
    assert!(nobody.status == 1 && nobody.stdout.contains("no user is enrolled"), "{nobody:#?}");
    for options in ["nullok", "enroll"] {
        let stack = format!("auth requisite pam_unix.so\nauth required pam_totp.so {options}\n");
        machine.service("totp", &stack);
        let let_by = doctor(&machine, "totp");
        assert_eq!(let_by.status, 0, "{options}: {let_by:#?}");
    }
    for (options, is_told) in [("", true), ("nullok", false)] {
        let stack = format!("auth required pam_unix.so\nauth required pam_totp.so {options}\n");
        machine.service("polkit-1", &stack);
        let told = doctor(&machine, "polkit-1").stdout;
        assert_eq!(
            told.contains("note: a user without a factor cannot enroll itself"),
            is_told,
            "{told}"
        );
    }
    for (before, is_told) in [("", true), ("auth requisite pam_unix.so\n", false)] {
        machine.service("key", &format!("{before}auth required pam_totp.so nullok\n"));
        let told = doctor(&machine, "key").stdout;
        let problem = "problem: /etc/pam.d/key:1: nullok has no effect";
        assert_eq!(told.contains(problem), is_told, "{told}");
    }
    machine.kill_daemon("TERM");
    machine.run("echo 'nonsense' > /etc/totpd/totpd.toml.d/10-bad.toml").stdout_ok();
    let bad = doctor(&machine, "totp");
    assert!(bad.status == 1 && bad.stdout.contains("problem: totpd cannot start: "), "{bad:#?}");
    assert!(bad.stdout.contains("/etc/totpd/totpd.toml.d/10-bad.toml"), "{bad:#?}");
    machine.run("rm /etc/totpd/totpd.toml.d/10-bad.toml; chmod -x /usr/libexec/totpd").stdout_ok();
    let dead = doctor(&machine, "totp");
    assert!(
        dead.status == 1 && dead.stdout.contains("problem: totpd does not answer"),
        "{dead:#?}"
    );
    assert_eq!(machine.run_as("alice", "totpctl doctor totp").status, 1);
}

/// An upgrade by hand leaves the old daemon running.
#[test]
fn a_daemon_whose_program_was_replaced_is_named() {
    let machine = Machine::new();
    machine.enrolled("alice", 1);
    let told = || machine.run("totpctl doctor totp").stdout;
    assert!(!told().contains("totpd-replaced"), "{}", told());
    let daemon = machine.daemon().unwrap();
    machine
        .run("cp /usr/libexec/totpd /usr/libexec/new && mv /usr/libexec/new /usr/libexec/totpd")
        .stdout_ok();
    let found = told();
    let expected = format!("totpd (process {daemon}) runs an older program: ");
    assert!(found.contains(&expected) && found.contains("[totpd-replaced]"), "{found}");
    assert!(found.contains(&format!("run kill {daemon};")), "{found}");
    machine.kill_daemon("TERM");
    assert!(!told().contains("totpd-replaced"), "{}", told());
}
