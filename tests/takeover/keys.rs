//! The fate of a key, a seed and a token after they were shown or used.

use super::*;

#[test]
fn each_login_has_its_own_key_and_voids_no_other() {
    let machine = Machine::new();
    machine.service("totp", "auth required pam_totp.so nodelay enroll\n");
    let roots = machine.run("totpctl --json enroll alice").stdout_ok();
    let looked = || {
        let ran = machine
            .pam("totp", "alice", "")
            .conversation("cancel")
            .terminal("ssh")
            .from("192.0.2.1")
            .run();
        let key = ran.text.split("\n\n  ").nth(1).or_else(|| ran.text.split("Key: ").nth(1));
        key.unwrap_or_else(|| panic!("{ran:#?}"))[..39].to_owned()
    };
    // Behind a proxy, a bastion or NAT all come from one place.
    let keys: Vec<_> = (0..20).map(|_| looked()).collect();
    for (at, key) in keys.iter().enumerate() {
        assert!(!keys[..at].contains(key), "a key was shown twice: {keys:#?}");
    }
    machine.kill_daemon("KILL");
    assert!(!keys.contains(&looked()), "nor after a restart");
    // Root's enrollment continues, though others look.
    let code = Seed(secret(&roots)).code();
    machine.run_with_input("totpctl confirm alice", &format!("{code}\n")).stdout_ok();
    assert!(
        state(&machine).contains(&factor_id(&roots))
            && state(&machine).contains("\"enrolled\":true")
    );
}

#[test]
fn one_seed_opens_once_whatever_becomes_of_its_factors() {
    let machine = Machine::new();
    machine.write("/etc/totpd/totpd.toml.d/10-test.toml", "[enrollment]\nmax_factors = 2\n");
    let seed = machine.enrolled("alice", 1);
    let twin = machine.run_with_input(
        "totpctl enroll alice --secret-stdin --no-confirm",
        &format!("{}\n", seed.0),
    );
    assert!(twin.status == 1 && twin.stderr.contains("same secret"), "{twin:#?}");
    let code = seed.code();
    assert_eq!(machine.pam("totp", "alice", &code).run().rc, pam::SUCCESS);
    assert_eq!(machine.pam("totp", "alice", &code).run().rc, pam::AUTH_ERR);
    // Zeros at the end make no other seed of it: HMAC fills a key with them.
    let padded = format!("{}AAAAAAAA", seed.0);
    let twin = machine
        .run_with_input("totpctl enroll alice --secret-stdin --no-confirm", &format!("{padded}\n"));
    assert!(twin.status == 1 && twin.stderr.contains("same secret"), "{twin:#?}");
    // Its factor removed, and the same token enrolled again: with and without a first code.
    machine.run("totpctl remove alice && totpctl unlock alice").stdout_ok();
    let again = machine.run_with_input(
        "totpctl enroll alice --secret-stdin --qr none",
        &format!("{}\n{code}\n", seed.0),
    );
    assert_eq!(again.status, 1, "a used code confirms nothing: {again:#?}");
    let brought = machine
        .run_with_input(
            "totpctl --json enroll alice --secret-stdin --no-confirm",
            &format!("{}\n", seed.0),
        )
        .stdout_ok();
    let from = brought.split("\"usable_from\":").nth(1).unwrap().split([',', '}']).next().unwrap();
    let (from, now): (u64, u64) =
        (from.parse().unwrap(), machine.run("date +%s").stdout_ok().trim().parse().unwrap());
    assert!((now..=now + 60).contains(&from), "{brought} at {now}");
    assert!(machine.run("totpctl show alice").stdout_ok().contains("came with an existing secret"));
    for early in [code, seed.code(), seed.next_code()] {
        assert_eq!(machine.pam("totp", "alice", &early).run().rc, pam::AUTH_ERR, "{early}");
    }
    let state_text = state(&machine);
    assert!(state_text.contains("\"failures\":0"), "early codes are no guesses: {state_text}");
    // One step before, it is right already. Earlier it would be a wrong code, and make its owner
    // wait.
    let ahead = || {
        let now: u64 = machine.run("date +%s").stdout_ok().trim().parse().unwrap();
        from.saturating_sub(now)
    };
    eventually("the first good code is near", || ahead() <= 30);
    let first = seed.code_after(i64::try_from(ahead()).unwrap());
    assert_eq!(machine.pam("totp", "alice", &first).run().rc, pam::SUCCESS);
}

#[test]
fn a_disabled_token_of_presses_comes_back_unsynchronized() {
    let machine = Machine::new();
    let seed = Seed::numbered(5);
    let enroll = "totpctl enroll alice --hotp --secret-stdin --no-confirm --qr none";
    machine.run_with_input(enroll, &format!("{}\n", seed.0)).stdout_ok();
    let id = factor_id(&state(&machine));
    machine.run(&format!("totpctl set alice --factor {id} --disable")).stdout_ok();
    machine.run_with_input("totpctl backup /root/b", "a long passphrase\n").stdout_ok();
    machine.run(&format!("totpctl set alice --factor {id} --enable")).stdout_ok();
    let press = |n: u32| {
        machine
            .run(&format!("oathtool --hotp --base32 -c {n} {}", seed.0))
            .stdout_ok()
            .trim()
            .to_owned()
    };
    assert_eq!(machine.pam("totp", "alice", &press(0)).run().rc, pam::SUCCESS);
    machine
        .run_with_input("totpctl restore /root/b --replace --yes", "a long passphrase\n")
        .stdout_ok();
    machine.run(&format!("totpctl set alice --factor {id} --enable")).stdout_ok();
    assert_eq!(machine.pam("totp", "alice", &press(0)).run().rc, pam::AUTH_ERR, "used before");
    machine
        .run_with_input("totpctl resync alice", &format!("{}\n{}\n", press(1), press(2)))
        .stdout_ok();
    assert_eq!(machine.pam("totp", "alice", &press(3)).run().rc, pam::SUCCESS);
}

#[test]
fn the_token_of_a_login_reaches_neither_session_nor_log() {
    for (service, user, command) in [
        ("sshd", "root", "SSH"),
        ("login", "root", "login alice"),
        ("su", "bob", "su alice -c 'env; echo in as $(id -un)'"),
        ("sudo", "alice", "sudo -k sh -c 'env; cat /proc/self/environ; echo in as $SUDO_USER'"),
    ] {
        let stack = "@include common-auth\nauth required pam_totp.so nodelay enroll\n\
                     @include common-account\nsession optional pam_exec.so seteuid /usr/local/bin/seen\n\
                     @include common-session\n";
        let machine = with_first_logins(stack);
        machine.write("/etc/sudoers.d/alice", "alice ALL=(ALL) ALL\n");
        machine.write("/usr/local/bin/seen", "#!/bin/sh\nenv >>/run/session-env\n");
        machine.run("chmod 755 /usr/local/bin/seen").stdout_ok();
        machine.service(service, stack);
        let command = match command {
            "SSH" => format!("{SSH} alice@127.0.0.1"),
            other => other.to_owned(),
        };
        let ran = machine.run_as(
            user,
            &format!("cd /; exec /opt/tests/type-enrollment alicepw 000000 right {command}"),
        );
        assert!(got_in(&ran), "{service}: {ran:#?}");
        assert!(ran.stdout.contains("Keep these on paper"), "{service}: {ran:#?}");
        assert!(!ran.stdout.contains("TOTP_TOKEN"), "{service}: {ran:#?}");
        let session = machine.run("cat /run/session-env").stdout_ok();
        // The login of shadow opens the session first: it sees a ticket, which is good for nothing.
        let line = session.lines().find(|line| line.contains("TOTP_TOKEN"));
        assert!(line.is_none_or(|line| line.contains("=ticket-")), "{service}: {session}");
        assert!(session.contains("PAM_SERVICE=") && !session.contains(":alice"), "{session}");
        assert!(state(&machine).contains("\"enrolled\":true"), "{service}");
        let id = factor_id(&state(&machine));
        let log = machine.log();
        assert!(log.contains("TOTP_REASON=factor-verified"), "{service}: {log}");
        assert!(!log.contains(&format!(":{id}:alice")), "{service}: the token is in the log");
    }
}

#[test]
fn no_program_of_a_user_changes_the_pending_factor_of_root() {
    let machine = Machine::with_programs();
    machine.self_service();
    let made = machine.run("totpctl --json enroll bob").stdout_ok();
    let id = made.split("\"factor\":\"").nth(1).unwrap()[..10].to_owned();
    for changes in ["{'name': <'x'>}", "{'purpose': <'x'>}", "{'disabled': <true>}"] {
        let arguments = format!("bob {id} \"{changes}\" ''");
        let refused = machine.call("bob", &format!("{MANAGER}.SetFactor"), &arguments);
        assert!(refused.stderr.contains("NotAuthorized"), "{refused:#?}");
    }
    let again = machine.run("totpctl --json enroll bob").stdout_ok();
    assert_eq!(again, made, "root's command shows the same factor again");
    // A user renames its own pending factor, and root any.
    machine.run(&format!("totpctl rename bob --factor {id} Pixel")).stdout_ok();
    let own = machine.run_as("alice", "totpctl --json enroll </dev/null").stdout_ok();
    let own = own.split("\"factor\":\"").nth(1).unwrap()[..10].to_owned();
    machine.run_as("alice", &format!("totpctl rename --factor {own} Pixel")).stdout_ok();
}
