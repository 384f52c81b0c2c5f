//! Enrolling, as a person meets it: at a terminal, and at the first login.

use tests::{Machine, Output, SSH, Seed, eventually, pam, picture, within_one_step};

const STACK: &str = "@include common-auth\nauth required pam_totp.so nodelay enroll\n\
                     @include common-account\n@include common-session\n";

/// Logs in over ssh with a shell, with `tests/harness/type-enrollment`.
fn ssh(machine: &Machine, password: &str, code: &str, first: &str) -> Output {
    machine.run(&format!(
        "/opt/tests/type-enrollment '{password}' '{code}' '{first}' {SSH} alice@127.0.0.1"
    ))
}

fn got_in(ran: &Output) -> bool {
    ran.stdout.lines().any(|line| line.trim_end().ends_with("in as alice"))
}

fn enrolled(machine: &Machine) -> bool {
    machine.run("totpctl --json show alice").stdout_ok().contains("\"enrolled\":true")
}

/// Returns a machine whose locale is UTF-8, and whose sshd enrolls.
fn with_first_logins() -> Machine {
    let machine = Machine::new();
    machine.write("/etc/default/locale", "LANG=C.UTF-8\n");
    machine.service("sshd", STACK);
    machine
}

#[test]
fn a_first_login_over_ssh_enrolls_and_the_second_asks() {
    let machine = with_first_logins();
    let first = ssh(&machine, "alicepw", "", "right");
    assert!(got_in(&first), "{first:#?}");
    assert!(first.stdout.contains("Scan this with the authenticator app"), "{first:#?}");
    assert!(first.stdout.contains("Keep these on paper"), "{first:#?}");
    // The picture says what the key says.
    let drawn: Vec<&str> = first
        .stdout
        .lines()
        .map(|line| line.trim_end_matches('\r'))
        .filter(|line| line.contains('█') || line.contains('▀'))
        .collect();
    assert_eq!(drawn.len(), 21, "{first:#?}");
    assert!(drawn.iter().all(|line| line.chars().count() <= 80));
    let key = first.stdout.split("Key: ").nth(1).unwrap().lines().next().unwrap();
    let secret = key.replace([' ', '\r'], "");
    let link = picture::of_half_blocks(&drawn);
    assert!(link.contains(&format!("secret={secret}")), "{link}");

    let second = ssh(&machine, "alicepw", "000000", "right");
    assert!(!got_in(&second) && second.stdout.contains("Verification code: "), "{second:#?}");
    assert!(!second.stdout.contains("Scan this"), "{second:#?}");
    let log = machine.log();
    assert!(log.contains("TOTP_REASON=factor-verified"), "{log}");
    assert!(!log.contains(&secret), "the key is in the log");
    // The login that made the factor used it.
    let listed = machine.run("totpctl list").stdout_ok();
    assert!(listed.contains("alice") && !listed.contains("never"), "{listed}");
    let shown = machine.run("totpctl show alice").stdout_ok();
    assert!(shown.contains(" at sshd."), "{shown}");
}

#[test]
fn an_unfinished_enrollment_lets_nobody_in() {
    let machine = with_first_logins();
    let cut = ssh(&machine, "alicepw", "", "cut");
    assert!(!got_in(&cut) && !enrolled(&machine), "{cut:#?}");
    let canceled = ssh(&machine, "alicepw", "", "^C");
    assert!(!got_in(&canceled) && !enrolled(&machine), "{canceled:#?}");
    let wrong_password = ssh(&machine, "nonsense", "", "right");
    assert!(!wrong_password.stdout.contains("Key: "), "{wrong_password:#?}");
    // A wrong first code, then the right one: the same key in one login, and another one than
    // before.
    let slow = ssh(&machine, "alicepw", "", "000000");
    assert!(got_in(&slow), "{slow:#?}");
    assert!(slow.stdout.contains("Wrong code."), "{slow:#?}");
    let key = |ran: &Output| ran.stdout.split("Key: ").nth(1).unwrap()[..39].to_owned();
    assert_ne!(key(&cut), key(&slow));
    assert_eq!(slow.stdout.matches("Key: ").count(), 1, "{slow:#?}");
}

#[test]
fn a_first_login_at_a_console_with_su_and_with_sudo_enrolls() {
    for (service, user, command) in [
        ("login", "root", "login alice"),
        ("su", "bob", "su alice -c 'echo in as $(id -un)'"),
        ("sudo", "alice", "sudo -k sh -c 'echo in as $SUDO_USER'"),
    ] {
        let machine = Machine::new();
        machine.write("/etc/default/locale", "LANG=C.UTF-8\n");
        machine.write("/etc/sudoers.d/alice", "alice ALL=(ALL) ALL\n");
        machine.service(service, STACK);
        let enter = |code: &str, first: &str| {
            machine.run_as(
                user,
                &format!("exec /opt/tests/type-enrollment alicepw '{code}' {first} {command}"),
            )
        };
        let left = enter("", "^C");
        assert!(left.stdout.contains('█') && !got_in(&left), "{service}: {left:#?}");
        let first = enter("", "right");
        assert!(got_in(&first), "{service}: {first:#?}");
        assert!(first.stdout.contains('█'), "{service}: {first:#?}");
        assert!(first.stdout.contains("Keep these on paper"), "{service}: {first:#?}");
        let second = enter("000000", "right");
        assert!(!got_in(&second) && !second.stdout.contains("Scan this"), "{service}: {second:#?}");
        assert!(second.stdout.contains("Verification code: "), "{service}: {second:#?}");
    }
}

#[test]
fn each_of_twenty_first_logins_at_once_has_a_key() {
    let machine = Machine::new();
    machine.service("totp", "auth required pam_totp.so nodelay enroll timeout=30\n");
    let all =
        machine.pam("totp", "alice", "").terminal("ssh").processes(20).conversation("cancel").run();
    assert_eq!(all.yes, 0);
    let log = machine.log();
    assert_eq!(log.matches("TOTP_REASON=factor-shown-at-login").count(), 20, "{log}");
    let made = log.lines().filter_map(|line| line.strip_prefix("TOTP_FACTOR="));
    assert_eq!(made.collect::<std::collections::HashSet<_>>().len(), 20, "each has its own");
    // A person who only looks fills no record.
    let state = machine.run("totpctl --json show alice").stdout_ok();
    assert_eq!(state.matches("\"made_by\":\"login\"").count(), 16, "{state}");
}

#[test]
fn a_login_without_utf_8_or_a_terminal_shows_no_picture() {
    let machine = Machine::new();
    machine.service("totp", "auth required pam_totp.so nodelay enroll\n");
    machine.run("rm -f /etc/default/locale /etc/locale.conf").stdout_ok();
    let plain = machine.pam("totp", "alice", "000000").terminal("tty1").run();
    assert_eq!(plain.rc, pam::AUTH_ERR);
    assert!(plain.text.contains("Add this key") && plain.text.is_ascii(), "{plain:#?}");
    assert!(plain.text.contains("the locale of this machine is not UTF-8"), "{plain:#?}");
    // A program that shows one line says what to do instead. A program whose option is off does the
    // same.
    let elsewhere = machine.pam("totp", "bob", "000000").terminal(":0").run();
    assert_eq!(elsewhere.rc, pam::AUTH_ERR);
    let told = "You have no second factor yet. Run: totpctl enroll";
    assert_eq!(elsewhere.shown, ["Verification code: ", told], "{elsewhere:#?}");
    let unknown = machine.pam("totp", "nobody-here", "000000").terminal("tty1").run();
    assert_eq!(unknown.shown[0], "Verification code: ", "{unknown:#?}");
}

#[test]
fn each_fault_of_an_app_is_reported() {
    let machine = Machine::new();
    for (options, fault, told) in [
        (
            "--algorithm SHA256",
            "--totp=sha1",
            "Your app ignored SHA256: enroll again with --algorithm SHA1.",
        ),
        ("--algorithm SHA512 --digits 8", "--totp=sha1", "ignored SHA512 and 8 digits"),
        ("--period 60", "--totp=sha1", "ignored 60 seconds: enroll again with --period 30."),
        ("", "--totp=sha1 --now '4 minutes ago'", "The clock of your phone is 4 minutes slow."),
        ("", "--totp=sha1 --now '59 minutes'", "The clock of your phone is 59 minutes fast."),
        ("", "--totp=sha1 --now '60 seconds ago'", "That is the code before"),
        ("", "--totp=sha1 --now '2 hours ago'", "Check that it is the right entry of the app"),
    ] {
        let answer = within_one_step(|| {
            let enroll = format!("totpctl --json enroll alice --name x {options}");
            let made = machine.run(&enroll).stdout_ok();
            let secret = made.split("\"secret\":\"").nth(1).unwrap().split('"').next().unwrap();
            let code = machine.run(&format!("oathtool -b {fault} {secret}")).stdout_ok();
            machine.run_with_input("totpctl confirm alice", &code)
        });
        assert_eq!(answer.status, 1, "{options} {fault}: {answer:#?}");
        assert!(answer.stderr.contains(told), "{options} {fault}: {answer:#?}");
        assert!(answer.stderr.contains("4 more tries"), "it counts: {answer:#?}");
    }
    // A code of the factor that was there before.
    let seed = machine.enrolled("bob", 1);
    machine.run("totpctl --json enroll bob").stdout_ok();
    let answer = machine.run_with_input("totpctl confirm bob", &format!("{}\n", seed.code()));
    assert!(answer.stderr.contains("the factor that you had before"), "{answer:#?}");
}

#[test]
fn a_pending_key_is_shown_again_and_a_verified_one_never() {
    let machine = Machine::new();
    let person = "/opt/tests/type-enrollment x x";
    let left = machine.run(&format!("{person} ^C totpctl enroll alice"));
    assert!(left.stdout.contains("Ctrl-C does not"), "{left:#?}");
    let again = machine.run(&format!("{person} right totpctl enroll alice"));
    let link = |ran: &Output| {
        ran.stdout.split("Link: ").nth(1).unwrap().lines().next().unwrap().to_owned()
    };
    assert_eq!(link(&left), link(&again), "{again:#?}");
    assert!(again.stdout.contains("still pending") && enrolled(&machine), "{again:#?}");
    let third = machine.run(&format!("{person} ^C totpctl enroll alice"));
    assert_ne!(link(&again), link(&third));
    // The whole picture and the key are on the screen, above the prompt.
    let tail: Vec<_> =
        again.stdout.split("Code that the app shows").next().unwrap().lines().collect();
    let (key, above) = tail.split_last().unwrap();
    assert!(key.starts_with("Key:  "), "{again:#?}");
    let drawn = above.iter().rev().take_while(|line| line.contains('█') || line.contains('▀'));
    assert!((17..23).contains(&drawn.count()), "{again:#?}");
}

#[test]
fn several_factors_are_named_limited_disabled_and_followed() {
    let machine = Machine::new();
    machine.write("/etc/totpd/totpd.toml.d/10-test.toml", "[enrollment]\nmax_factors = 2\n");
    let (phone, token) = (machine.enrolled("alice", 1), machine.enrolled("alice", 2));
    let third = machine.run("totpctl enroll alice --no-confirm");
    assert!(third.status == 1 && third.stderr.contains("no room"), "{third:#?}");
    let state = machine.run("totpctl --json show alice").stdout_ok();
    let ids: Vec<_> =
        state.split("\"factor\":\"").skip(1).map(|rest| rest[..10].to_owned()).collect();
    assert_eq!(ids.len(), 2, "{state}");
    let second = state.split("\"name\":\"").nth(2).unwrap().split('"').next().unwrap();
    machine.run(&format!("totpctl rename alice --factor {} Pixel", ids[0])).stdout_ok();
    machine.run(&format!("totpctl set alice --factor {} --services sshd,sudo", ids[1])).stdout_ok();
    let shown = machine.run("totpctl show alice").stdout_ok();
    assert!(shown.contains("Pixel") && shown.contains("is valid only for sshd, sudo."), "{shown}");
    machine.service("named", "auth required pam_totp.so nodelay show_names\n");
    for (service, prompt) in [("named", "Verification code: "), ("totp", "Verification code: ")] {
        let asked = machine.pam(service, "alice", "").run();
        assert_eq!(asked.shown[0], prompt, "one of them is not for this service");
    }
    machine
        .run(&format!("totpctl set alice --factor {} --services sshd,sudo,named", ids[1]))
        .stdout_ok();
    assert_eq!(
        machine.pam("named", "alice", "").run().shown[0],
        format!("Verification code (Pixel, {}): ", second)
    );
    // A program of another user learns no names, and a name without a record has none.
    let asked = machine.run_as("alice", "/opt/tests/pam named alice ''");
    assert!(asked.stdout.contains("shown: Verification code: \n"), "{asked:#?}");
    assert_eq!(machine.pam("named", "nobody-here", "").run().shown[0], "Verification code: ");
    machine.run(&format!("totpctl set alice --factor {} --services sshd,sudo", ids[1])).stdout_ok();
    machine.service("sudo", "auth required pam_totp.so nodelay\n");
    assert_eq!(machine.pam("totp", "alice", &token.code()).run().rc, pam::AUTH_ERR);
    assert_eq!(machine.pam("sudo", "alice", &token.code()).run().rc, pam::SUCCESS);
    assert_eq!(machine.pam("totp", "alice", &phone.code()).run().rc, pam::SUCCESS);
    assert!(machine.log().contains(&format!("TOTP_FACTOR={}", ids[1])));

    machine.run(&format!("totpctl set alice --factor {} --disable", ids[0])).stdout_ok();
    assert_eq!(machine.pam("totp", "alice", &phone.next_code()).run().rc, pam::AUTH_ERR);
    machine.run(&format!("totpctl set alice --factor {} --enable", ids[0])).stdout_ok();
    assert_eq!(machine.pam("totp", "alice", &phone.next_code()).run().rc, pam::SUCCESS);
    for (arguments, status, why) in [
        ("set alice --factor f-aaaaaaaa --disable", 1, "no such factor"),
        ("set alice --factor x", 2, "no change given"),
        ("set alice --factor x --not-after tomorrow", 2, "cannot parse the time"),
    ] {
        let refused = machine.run(&format!("totpctl {arguments}"));
        assert_eq!(refused.status, status, "{refused:#?}");
        assert!(refused.stderr.contains(why), "{refused:#?}");
    }
    let over = format!("totpctl set alice --factor {} --not-after 2020-01-01", ids[1]);
    machine.run(&over).stdout_ok();
    let before = machine.log().matches("TOTP_REASON=factor-restricted").count();
    assert_eq!(machine.pam("sudo", "alice", &token.next_code()).run().rc, pam::AUTH_ERR);
    assert_eq!(machine.log().matches("TOTP_REASON=factor-restricted").count(), before + 1);
}

#[test]
fn a_token_with_a_wrong_clock_is_found_by_two_codes() {
    let machine = Machine::new();
    let seed = Seed::numbered(1);
    let enroll = "totpctl enroll alice --secret-stdin --no-confirm --qr none";
    machine.run_with_input(enroll, &format!("{}\n", seed.0)).stdout_ok();
    let late = |seconds: i64| seed.code_after(seconds);
    assert_eq!(machine.pam("totp", "alice", &late(-240)).run().rc, pam::AUTH_ERR);
    let far = machine
        .run_with_input("totpctl resync alice", &format!("{}\n{}\n", late(-4200), late(-4170)));
    assert_eq!(far.status, 1, "{far:#?}");
    assert!(far.stderr.contains("for an hour either way"), "{far:#?}");
    machine
        .run_with_input("totpctl resync alice", &format!("{}\n{}\n", late(-240), late(-210)))
        .stdout_ok();
    let shown = machine.run("totpctl show alice").stdout_ok();
    assert!(shown.contains("min slow; totpd corrects for that."), "{shown}");
    machine.run("totpctl unlock alice").stdout_ok();
    eventually("the next code of the token is right", || {
        machine.run("totpctl unlock alice").stdout_ok();
        machine.pam("totp", "alice", &late(-180)).run().rc == pam::SUCCESS
    });
    assert_eq!(machine.pam("totp", "alice", &late(-210)).run().rc, pam::AUTH_ERR, "used");
}

#[test]
fn root_finds_a_token_that_drifted_far_in_the_drawer() {
    let machine = Machine::new();
    for (user, seconds) in [("alice", -3000), ("bob", 3000)] {
        // The token is off by too much for a first code, so its factor is pending.
        let seed = Seed::numbered(7);
        let enroll = format!("totpctl enroll {user} --secret-stdin --qr none");
        let at = |more: i64| seed.code_after(seconds + more);
        let made = machine.run_with_input(&enroll, &format!("{}\n{}\n", seed.0, at(0)));
        assert_eq!(made.status, 1, "{made:#?}");
        assert!(made.stderr.contains(&format!("totpctl resync {user}")), "{made:#?}");
        let resync = format!("totpctl resync {user}");
        machine.run_with_input(&resync, &format!("{}\n{}\n", at(0), at(30))).stdout_ok();
        eventually("the next code of the token is right", || {
            machine.run(&format!("totpctl unlock {user}")).stdout_ok();
            machine.pam("totp", user, &at(60)).run().rc == pam::SUCCESS
        });
        assert_eq!(machine.pam("totp", user, &at(60)).run().rc, pam::AUTH_ERR, "used");
        let shown = machine.run(&format!("totpctl show {user}")).stdout_ok();
        assert!(shown.contains("; totpd corrects for that."), "{shown}");
    }
}

/// Returns the link in the output of `totpctl --json`, and its label.
fn link_and_label(json: &str) -> (String, String) {
    let link = json.split("\"uri\":\"").nth(1).unwrap().split('"').next().unwrap();
    let label = link.split("totp/").nth(1).unwrap().split('?').next().unwrap();
    (link.to_owned(), label.to_owned())
}

#[test]
fn no_later_key_of_a_user_has_the_label_of_an_earlier_one() {
    let machine = Machine::new();
    let enroll = |command: &str| link_and_label(&machine.run(command).stdout_ok());
    let (_, first) = enroll("totpctl --json enroll alice");
    assert_eq!(first, "totp-test:alice");
    assert_eq!(enroll("totpctl --json enroll alice").1, first, "the same key");
    machine.run("totpctl remove alice").stdout_ok();
    let seed = machine.enrolled("alice", 1);
    let (link, second) = enroll("totpctl --json enroll alice");
    assert!(second.starts_with("totp-test:alice%20f-"), "{link}");
    assert_eq!(enroll("totpctl --json enroll alice"), (link, second.clone()), "the same key");
    // The person reads that the old one is valid until then, and it is.
    let shown = machine.run("totpctl enroll alice < /dev/null");
    assert!(shown.stderr.contains("stays valid until the first code of the new one"), "{shown:#?}");
    assert_eq!(machine.pam("totp", "alice", &seed.code()).run().rc, pam::SUCCESS);
    let (_, third) = enroll("totpctl --json enroll alice --name Pixel");
    assert!(third.starts_with("totp-test:alice%20f-") && third != second, "{second} {third}");
    machine.write("/root/names", "alice\n");
    let (_, in_batch) = enroll("totpctl enroll --batch /root/names --no-confirm");
    assert!(in_batch.starts_with("totp-test:alice%20f-"), "{in_batch}");
    assert!(![second, third].contains(&in_batch));
    machine.run("totpctl remove alice").stdout_ok();
    let (_, after) = enroll("totpctl --json enroll alice");
    assert!(after.starts_with("totp-test:alice%20f-") && after != in_batch, "{after}");
}
