//! A right code opens the door once, in the programs and with the stacks of the README.

use tests::{Machine, Seed, eventually, pam};

/// Adds the lines that the README tells an administrator to add, at the place that it names.
fn protect(machine: &Machine, service: &str) {
    let readme = include_str!("../README.md");
    let line = "auth    required    pam_totp.so";
    assert!(readme.contains(line), "the README has another line by now");
    machine
        .run(&format!("sed -i '/^@include common-auth/a {line}' /etc/pam.d/{service}"))
        .stdout_ok();
    let stack = machine.run(&format!("cat /etc/pam.d/{service}")).stdout_ok();
    assert_eq!(stack.matches(line).count(), 1, "{stack}");
}

#[test]
fn a_code_opens_the_door_of_sshd_once() {
    let machine = Machine::new();
    protect(&machine, "sshd");
    let seed = machine.enrolled("alice", 1);
    let code = seed.code();

    let first = machine.ssh("alice", &code).run();
    assert!(first.got_in, "{first:#?}");
    assert_eq!(
        first.prompts,
        ["(alice@127.0.0.1) Password: ", "(alice@127.0.0.1) Verification code: "]
    );
    let used = machine.ssh("alice", &code).run();
    assert!(!used.got_in, "{used:#?}");
    for code in [seed.wrong_code().as_str(), "", "abcdef", "12345"] {
        let wrong = machine.ssh("alice", code).run();
        assert!(!wrong.got_in, "{code}: {wrong:#?}");
    }
    let log = machine.log();
    for reason in ["code-accepted", "code-replayed", "code-wrong", "malformed"] {
        assert!(log.contains(&format!("TOTP_REASON={reason}")), "{reason}: {log}");
    }
    for field in ["RHOST=127.0.0.1", "SERVICE=sshd", "TTY=ssh", "USER=alice", "FACTOR=f-"] {
        assert!(log.contains(&format!("TOTP_{field}")), "{field}: {log}");
    }
    assert!(!log.contains(&code) && !log.contains(&seed.0), "a secret is in the log");
}

#[test]
fn a_user_that_sshd_blocks_is_named_in_the_journal() {
    let machine = Machine::new();
    machine.service("sshd", "auth required pam_totp.so nodelay\naccount required pam_permit.so\n");
    for (user, directive, whose) in [
        ("root", "PermitRootLogin prohibit-password", "root"),
        ("alice", "PermitRootLogin yes\\nDenyUsers alice", "alice"),
        ("bob", "PermitRootLogin yes\\nAllowUsers carol", "bob"),
        ("nobody-here", "PermitRootLogin yes", "a name that this machine does not know"),
    ] {
        if user != "nobody-here" {
            machine.enrolled(user, 1);
        }
        machine
            .run(&format!(
                "sed -i '/^DenyUsers/d; /^AllowUsers/d; s/^PermitRootLogin.*/{directive}/' \
                 /etc/ssh/sshd_config && /usr/sbin/sshd -t && kill -HUP $(cat /run/sshd.pid)"
            ))
            .stdout_ok();
        let line =
            format!("denied for {whose} at sshd from nowhere (127.0.0.1): sshd blocks this user");
        eventually("sshd has its new configuration", || {
            // Until it has, the user may get in.
            let ran = machine.ssh(user, &Seed::numbered(1).code()).run();
            !ran.got_in && machine.log().contains(&line)
        });
        assert!(machine.log().contains("TOTP_REASON=sshd-blocked-login"));
        if user != "nobody-here" {
            let state = machine.run(&format!("totpctl show {user}")).stdout_ok();
            assert!(state.contains("Unknown sources: no wrong codes."), "{user}: {state}");
        }
    }
}

#[test]
fn the_password_still_counts() {
    let machine = Machine::new();
    protect(&machine, "sshd");
    let seed = machine.enrolled("alice", 1);
    let wrong_password = machine.ssh("alice", &seed.code()).password("nonsense").run();
    assert!(!wrong_password.got_in, "{wrong_password:#?}");
    assert!(machine.ssh("alice", &seed.code()).run().got_in, "and the code was not spent on it");
}

#[test]
fn a_key_and_a_code_open_the_door_together() {
    let machine = Machine::new();
    let methods = "AuthenticationMethods publickey,keyboard-interactive";
    assert!(include_str!("../README.md").contains(methods), "the README says something else");
    machine
        .run("sed -i 's/^@include common-auth/auth required pam_totp.so/' /etc/pam.d/sshd")
        .stdout_ok();
    machine
        .run(&format!(
            "sed -i 's/^PubkeyAuthentication no/PubkeyAuthentication yes\\n{methods}/' \
             /etc/ssh/sshd_config && grep -c publickey, /etc/ssh/sshd_config && \
             kill -HUP $(cat /run/sshd.pid) && mkdir -p /root/.ssh ~alice/.ssh && \
             ssh-keygen -q -t ed25519 -N '' -f /root/.ssh/id_ed25519 && \
             cp /root/.ssh/id_ed25519.pub ~alice/.ssh/authorized_keys && chown -R alice ~alice/.ssh"
        ))
        .stdout_ok();
    let seed = machine.enrolled("alice", 1);
    tests::eventually("sshd asks for both", || {
        machine.ssh("alice", "").run().ran.stderr.contains("keyboard-interactive")
    });
    assert!(!machine.ssh("alice", &seed.wrong_code()).run().got_in);
    let both = machine.ssh("alice", &seed.code()).run();
    assert!(both.got_in, "{both:#?}");
    assert_eq!(both.prompts, ["(alice@127.0.0.1) Verification code: "]);
    machine.run("rm /root/.ssh/id_ed25519*").stdout_ok();
    let code_alone = machine.ssh("alice", &seed.next_code()).run();
    assert!(!code_alone.got_in, "{code_alone:#?}");
}

/// What `make demo` runs in a copy of a machine.
#[test]
fn the_demo_lets_a_right_code_in_once() {
    let machine = Machine::new();
    machine.write("/root/demo", include_str!("../scripts/demo-inside.sh"));
    let shown = machine.run("bash /root/demo alone").stdout_ok();
    for expected in ["demo: in: hello from alice", "demo: refused: ", "demo: the demo succeeded"] {
        assert!(shown.contains(expected), "{expected}: {shown}");
    }
}

#[test]
fn an_unenrolled_user_does_not_get_in() {
    let machine = Machine::new();
    protect(&machine, "sshd");
    let bob = machine.ssh("bob", "123456").run();
    assert!(!bob.got_in, "{bob:#?}");
    assert_eq!(bob.prompts.last().unwrap(), "(bob@127.0.0.1) Verification code: ");
}

#[test]
fn sudo_asks_for_a_code() {
    let machine = Machine::new();
    protect(&machine, "sudo");
    machine.write("/etc/sudoers.d/alice", "alice ALL=(ALL) ALL\n");
    let seed = machine.enrolled("alice", 1);
    let sudo = |code: &str| {
        machine.run_as_with_input("alice", "sudo -k -S id -u", &format!("alicepw\n{code}\n"))
    };
    let refusal = sudo(&seed.wrong_code());
    assert!(refusal.status != 0 && refusal.stdout.is_empty(), "{refusal:#?}");
    let code = seed.code();
    let done = sudo(&code);
    assert!(done.stderr.contains("Verification code: "), "{done:#?}");
    assert_eq!(done.stdout_ok().trim(), "0");
    assert_ne!(sudo(&code).status, 0, "used");
}

#[test]
fn su_and_login_ask_for_a_code() {
    let machine = Machine::new();
    protect(&machine, "su");
    protect(&machine, "login");
    let seed = machine.enrolled("bob", 2);
    let su = |code: &str| {
        machine.run_as_with_input("alice", "su bob -c id\\ -un", &format!("bobpw\n{code}\n"))
    };
    let refusal = su(&seed.wrong_code());
    assert!(refusal.status != 0 && refusal.stdout.is_empty(), "{refusal:#?}");
    assert_eq!(su(&seed.code()).stdout_ok().trim(), "bob");

    let login = |code: &str| {
        machine.run_with_input(
            "expect -f -",
            &format!(
                "set timeout 20\nspawn login bob\n\
                 expect \"assword:\" {{ send \"bobpw\\r\" }}\n\
                 expect \"Verification code:\" {{ send \"{code}\\r\" }}\n\
                 expect {{\n\"incorrect\" {{ exit 1 }}\n-re {{[$] }} {{ send \"id -un; exit\\r\" }}\n}}\n\
                 expect eof\n"
            ),
        )
    };
    let done = login(&seed.next_code());
    assert!(done.status == 0 && done.stdout.contains("\nbob\r"), "{done:#?}");
    let refusal = login(&seed.wrong_code());
    assert!(refusal.status == 1, "{refusal:#?}");
}

#[test]
fn a_stack_with_nothing_but_the_module_works_in_every_phase() {
    let machine = Machine::new();
    let seed = machine.enrolled("alice", 1);
    assert_eq!(machine.pam("totp", "alice", &seed.code()).with_account().run().rc, pam::SUCCESS);
}

#[test]
fn every_option_of_the_module_does_what_it_says() {
    let machine = Machine::new();
    let seed = machine.enrolled("alice", 1);
    for (name, options) in [
        ("prompt", "nodelay [prompt=Token please: ]"),
        ("nullok", "nodelay nullok"),
        ("delay", ""),
        ("misspelt", "nodelay nulok"),
        ("debug", "nodelay debug echo quiet timeout=3"),
    ] {
        machine.service(name, &format!("auth required pam_totp.so {options}\n"));
    }
    let prompted = machine.pam("prompt", "alice", &seed.code()).run();
    assert_eq!((prompted.rc, &prompted.shown[..]), (pam::SUCCESS, &["Token please: ".into()][..]));

    // nullok lets an unenrolled user by, which in a stack of its own libpam turns into a refusal.
    machine.service(
        "nullok",
        "auth required pam_totp.so nodelay nullok\nauth required pam_permit.so\n",
    );
    let unenrolled = machine.pam("nullok", "bob", "").run();
    assert_eq!((unenrolled.rc, unenrolled.shown.len()), (pam::SUCCESS, 0));
    assert!(machine.log().contains("TOTP_VERDICT=skipped"));
    let enrolled = machine.pam("nullok", "alice", "").run();
    assert_eq!((enrolled.rc, enrolled.shown.len()), (pam::AUTH_ERR, 1));
    let unknown = machine.pam("nullok", "nobody-at-all", "").run();
    assert_eq!((unknown.rc, unknown.shown.len()), (pam::AUTH_ERR, 1));

    let delayed = machine.pam("delay", "alice", "").run();
    assert_eq!(delayed.rc, pam::AUTH_ERR);
    assert!((1400..10_000).contains(&delayed.ms), "{delayed:?}");

    let refusal = machine.pam("misspelt", "alice", "123456").run();
    assert_eq!((refusal.rc, refusal.shown.len()), (pam::SERVICE_ERR, 0));
    assert!(machine.log().contains("nulok"), "{}", machine.log());

    let code = seed.next_code();
    assert_eq!(machine.pam("debug", "alice", &code).run().rc, pam::SUCCESS);
    let log = machine.log();
    assert!(log.contains("ended: Approved") && !log.contains(&code), "{log}");
}

#[test]
fn one_answer_can_hold_password_and_code() {
    let machine = Machine::new();
    let seed = machine.enrolled("alice", 1);
    machine.service(
        "both",
        "auth required pam_totp.so forward_pass nodelay\nauth required pam_unix.so use_first_pass nodelay\n",
    );
    let code = seed.code();
    for (answer, rc) in [
        (format!("alicepw{code}"), pam::SUCCESS),
        (format!("alicepw{code}"), pam::AUTH_ERR),
        (format!("wrongpw{}", seed.next_code()), pam::AUTH_ERR),
        ("alicepw".into(), pam::AUTH_ERR),
        (String::new(), pam::AUTH_ERR),
    ] {
        let login = machine.pam("both", "alice", &answer).run();
        assert_eq!(
            (login.rc, &login.shown[..]),
            (rc, &["Password and verification code: ".into()][..])
        );
    }
    let log = machine.log();
    assert!(!log.contains("alicepw") && !log.contains(&code), "{log}");
    // The module cuts a code of eight digits at its beginning.
    machine
        .run("totpctl enroll bob --digits 8 --no-confirm --qr none --json > /root/bob")
        .stdout_ok();
    let code = machine
        .run("oathtool --totp -d 8 -b $(sed 's/.*secret=\\([A-Z2-7]*\\).*/\\1/' /root/bob)")
        .stdout_ok();
    let answer = format!("bobpw{}", code.trim());
    assert_eq!(machine.pam("both", "bob", &answer).run().rc, pam::SUCCESS);
}
