//! Wrong codes make strangers wait, and nobody else.

use tests::{Machine, eventually, pam, scaled};

#[test]
fn a_known_address_gets_in_under_guesses_from_a_thousand() {
    let machine = Machine::new();
    let seed = machine.enrolled("alice", 1);
    let home = "192.0.2.1";
    assert_eq!(machine.pam("totp", "alice", &seed.code()).from(home).run().rc, pam::SUCCESS);

    let wrong = seed.wrong_code();
    let flood =
        machine.pam("totp", "alice", &wrong).repeat(scaled(10_000, 2000)).addresses(1000).run();
    assert_eq!((flood.rc, flood.yes), (pam::MAXTRIES, 0), "{flood:#?}");

    let elsewhere = machine.pam("totp", "alice", &seed.next_code()).from("203.0.113.9").run();
    assert_eq!(elsewhere.rc, pam::MAXTRIES, "{elsewhere:#?}");
    let state = machine.run("totpctl show alice").stdout_ok();
    let told = elsewhere.shown[0].clone();
    assert!(told.starts_with("Verification code (wait "), "{told}");
    let seconds = |text: &str, before: &str| {
        let number = text.split_once(before).unwrap().1.split_whitespace().next().unwrap();
        number.parse::<i64>().unwrap()
    };
    let (in_prompt, in_state) = (seconds(&told, "(wait "), seconds(&state, "wrong codes, wait "));
    assert!((0..=3).contains(&(in_prompt - in_state)), "after so many: {told} {state}");
    assert!(
        elsewhere.shown[1].starts_with("Too many wrong codes. Try again in "),
        "{elsewhere:#?}"
    );
    assert!(
        state.contains("\nUnknown sources: ") && state.contains(" wrong codes, wait "),
        "{state}"
    );

    // The right code that was throttled is not used up, and opens the door at home.
    let at_home = machine.pam("totp", "alice", &seed.next_code()).from(home).run();
    assert_eq!(at_home.shown, ["Verification code: "]);
    assert_eq!(at_home.rc, pam::SUCCESS, "{at_home:#?}");
}

/// An editor, a mount or a script keeps the last answer, and sends it again and again.
#[test]
fn a_used_code_that_comes_back_for_two_hours_keeps_nobody_out() {
    let machine = Machine::new();
    let seed = machine.enrolled("alice", 1);
    let mut daemon = machine.start_with_clock();
    let (home, code) = ("192.0.2.1", seed.code());
    assert_eq!(machine.pam("totp", "alice", &code).from(home).run().rc, pam::SUCCESS);
    let again = machine.run(&format!(
        "for seconds in $(seq 31 31 7200); do
             echo +$seconds > /run/clock
             for from in {home} 203.0.113.9; do /opt/tests/pam -h $from totp alice {code}; done
         done"
    ));
    let answers = again.stdout_ok();
    let denied = format!("rc={} ", pam::AUTH_ERR);
    assert_eq!(answers.matches("shown: Verification code: \n").count(), 2 * 232, "{answers}");
    assert_eq!(answers.matches(&denied).count(), 2 * 232, "{answers}");
    let state = machine.run("totpctl show alice").stdout_ok();
    assert!(state.contains("\nUnknown sources: no wrong codes."), "{state}");
    assert!(state.contains(&format!("\n{home} (known): no wrong codes; last right")), "{state}");
    let log = machine.log();
    assert!(log.contains("TOTP_REASON=code-replayed"), "{log}");
    assert!(!log.contains("TOTP_REASON=code-wrong"), "{log}");
    machine.set_clock(7230);
    let fresh = machine.pam("totp", "alice", &seed.code_after(7230)).from(home).run();
    assert_eq!((fresh.rc, &fresh.shown[0][..]), (pam::SUCCESS, "Verification code: "));
    // The code that came back before is now an older one, which counts.
    machine.pam("totp", "alice", &code).from(home).run();
    let state = machine.run("totpctl show alice").stdout_ok();
    assert!(state.contains(&format!("\n{home} (known): 1 wrong code; last right")), "{state}");
    machine.kill_daemon("TERM");
    daemon.wait().unwrap();
}

#[test]
fn a_wait_refuses_ends_and_is_forgotten() {
    let machine = Machine::new();
    machine.write(
        "/etc/totpd/totpd.toml.d/10-test.toml",
        "[throttle]\nfree_failures = 2\nfirst_wait = \"2s\"\n",
    );
    let seed = machine.enrolled("alice", 1);
    let wrong = seed.wrong_code();
    for _ in 0..2 {
        assert_eq!(machine.pam("totp", "alice", &wrong).run().rc, pam::AUTH_ERR);
    }
    let refused = machine.pam("totp", "alice", &seed.code()).run();
    assert_eq!(refused.rc, pam::MAXTRIES, "{refused:#?}");
    // Throttled tries do not count, so asking again does no harm.
    eventually("the wait ends", || {
        machine.pam("totp", "alice", &seed.code()).run().rc == pam::SUCCESS
    });
    let state = machine.run("totpctl show alice").stdout_ok();
    assert!(state.contains("\nUnknown sources: no wrong codes."), "{state}");
}

#[test]
fn a_lock_lets_known_sources_in_until_an_administrator_unlocks() {
    let machine = Machine::new();
    machine.write(
        "/etc/totpd/totpd.toml.d/10-test.toml",
        "[throttle]\nfree_failures = 3\nlock_after = 3\n",
    );
    let seed = machine.enrolled("alice", 1);
    let home = "192.0.2.1";
    assert_eq!(machine.pam("totp", "alice", &seed.code()).from(home).run().rc, pam::SUCCESS);
    machine.pam("totp", "alice", &seed.wrong_code()).repeat(3).from("203.0.113.9").run();
    let locked = machine.pam("totp", "alice", &seed.next_code()).from("203.0.113.9").run();
    assert_eq!(locked.rc, pam::MAXTRIES, "{locked:#?}");
    assert_eq!(
        locked.shown,
        ["Verification code (locked): ", "Too many wrong codes: locked. Ask your administrator."]
    );
    assert!(machine.run("totpctl list").stdout_ok().contains("locked"));
    let log = machine.log();
    assert_eq!(log.matches("TOTP_REASON=lock-started").count(), 1, "{log}");
    let known = machine.pam("totp", "alice", &seed.next_code()).from(home).run();
    assert_eq!(known.rc, pam::SUCCESS, "{known:#?}");
    assert_eq!(machine.run_as("alice", "totpctl unlock alice").status, 4);
    machine.run("totpctl unlock alice").stdout_ok();
    let open = machine.pam("totp", "alice", "").from("203.0.113.9").run();
    assert_eq!((open.rc, &open.shown[0][..]), (pam::AUTH_ERR, "Verification code: "));
}

#[test]
fn a_name_that_nobody_has_is_throttled_alike() {
    let machine = Machine::new();
    machine.enrolled("alice", 1);
    let mut told = Vec::new();
    for user in ["alice", "bob", "no-such-user", "../x", "Alice"] {
        let mut seen = Vec::new();
        for _ in 0..4 {
            let result = machine.pam("totp", user, "000000").from("192.0.2.9").run();
            seen.push((result.rc, result.shown.len()));
        }
        told.push(seen);
    }
    told.dedup();
    let refused = (pam::AUTH_ERR, 1);
    assert_eq!(told, [[refused, refused, refused, (pam::MAXTRIES, 2)]]);
}

/// Returns a machine on which each service of `services` asks for a code. 100 wrong codes lock
/// without a wait.
fn with_services(services: &[&str]) -> Machine {
    let machine = Machine::new();
    machine.write(
        "/etc/totpd/totpd.toml.d/10-test.toml",
        "[throttle]\nfree_failures = 100\nlock_after = 100\n",
    );
    for service in services {
        machine.run(&format!("cp /etc/pam.d/totp /etc/pam.d/{service}")).stdout_ok();
    }
    machine
}

#[test]
fn a_service_that_names_no_place_cannot_lock_the_console() {
    let machine = with_services(&["login", "openvpn", "jupyterhub"]);
    let seed = machine.enrolled("alice", 1);
    let console = |code: &str| machine.pam("login", "alice", code).terminal("/dev/tty1").run();
    assert_eq!(console(&seed.code()).rc, pam::SUCCESS);
    for service in ["openvpn", "jupyterhub"] {
        machine.pam(service, "alice", &seed.wrong_code()).repeat(100).run();
    }
    let stranger = machine.pam("openvpn", "alice", &seed.next_code()).run();
    assert_eq!(stranger.rc, pam::MAXTRIES, "{stranger:#?}");
    let owner = console(&seed.next_code());
    assert_eq!(owner.rc, pam::SUCCESS, "{owner:#?}");
    let state = machine.run("totpctl show alice").stdout_ok();
    assert!(state.contains("\nseat0 (login) (known): no wrong codes; last right code "), "{state}");
}

#[test]
fn an_owner_with_a_new_ipv6_address_each_day_is_no_stranger() {
    let machine = with_services(&[]);
    let seed = machine.enrolled("alice", 1);
    let from =
        |address: &str, code: &str| machine.pam("totp", "alice", code).from(address).run().rc;
    assert_eq!(from("2001:db8:1:2::a", &seed.code()), pam::SUCCESS);
    machine.pam("totp", "alice", &seed.wrong_code()).from("2001:db8:9::1").repeat(100).run();
    assert_eq!(from("2001:db8:1:3::a", &seed.next_code()), pam::MAXTRIES);
    assert_eq!(from("2001:db8:1:2::b", &seed.next_code()), pam::SUCCESS);
    let state = machine.run("totpctl show alice").stdout_ok();
    assert!(
        state.contains("\n2001:db8:1:2::/64 (known): no wrong codes; last right code "),
        "{state}"
    );
}

#[test]
fn a_hundred_addresses_of_one_ipv6_network_are_one_source() {
    let machine = with_services(&[]);
    let seed = machine.enrolled("alice", 1);
    let wrong = seed.wrong_code();
    let from =
        |address: &str, code: &str| machine.pam("totp", "alice", code).from(address).run().rc;
    assert_eq!(from("2001:db8:1:2::a", &seed.code()), pam::SUCCESS);
    // One process each would take minutes: ten addresses, ten codes from each.
    for host in 1..=10 {
        let address = format!("2001:db8:1:2::{host}");
        machine.pam("totp", "alice", &wrong).from(&address).repeat(10).run();
    }
    assert_eq!(from("2001:db8:1:2::b", &seed.next_code()), pam::MAXTRIES);
    let state = machine.run("totpctl show alice").stdout_ok();
    assert!(state.contains("\nUnknown sources: no wrong codes."), "the strangers' budget: {state}");
    assert!(
        state.contains("\n2001:db8:1:2::/64 (known): locked after 100 wrong codes, until \"totpctl unlock alice\""),
        "{state}"
    );
}

#[test]
fn a_right_code_through_loopback_makes_nothing_known() {
    for loopback in ["127.0.0.1", "::1", "::ffff:127.0.0.1"] {
        let machine = with_services(&[]);
        let seed = machine.enrolled("alice", 1);
        let from =
            |address: &str, code: &str| machine.pam("totp", "alice", code).from(address).run();
        assert_eq!(from(loopback, &seed.code()).rc, pam::SUCCESS);
        let state = machine.run("totpctl show alice").stdout_ok();
        assert!(!state.contains("(known)"), "{state}");
        assert!(state.contains(" at totp."), "{state}");
        machine.pam("totp", "alice", &seed.wrong_code()).from("192.0.2.9").repeat(100).run();
        let late = from(loopback, &seed.next_code());
        assert_eq!(late.rc, pam::MAXTRIES, "{late:#?}");
    }
}
