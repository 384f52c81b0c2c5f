//! Recovery codes: what is left when the phone is gone.

use tests::{Machine, Seed, eventually, pam, scaled};

/// Returns the seed of alice's factor, and her ten recovery codes.
fn alice(machine: &Machine) -> (Seed, Vec<String>) {
    let seed = Seed::numbered(1);
    let enrollment = machine
        .run_with_input("totpctl enroll alice --secret-stdin --qr none", &seed.first_codes());
    (seed, codes(&enrollment.stdout_ok()))
}

/// Returns the codes on a screen.
fn codes(screen: &str) -> Vec<String> {
    let is_code = |word: &&str| word.len() == 19 && word.matches('-').count() == 3;
    screen.split_whitespace().filter(is_code).map(ToOwned::to_owned).collect()
}

#[test]
fn a_recovery_code_lets_in_once_and_is_reported() {
    let machine = Machine::new();
    let (seed, codes) = alice(&machine);
    assert_eq!(codes.len(), 10, "{codes:?}");
    let bare = codes[1].replace('-', "").to_lowercase();
    let spoken = codes[2].replace('0', "o").replace('1', "l");
    for (typed, left) in [(&codes[0], 9), (&bare, 8), (&spoken, 7)] {
        let first = machine.pam("totp", "alice", typed).run();
        assert_eq!(first.rc, pam::SUCCESS, "{typed}: {first:#?}");
        let message = format!("Recovery code used up; {left} are left.");
        assert_eq!(first.shown.last(), Some(&message), "{first:#?}");
        let again = machine.pam("totp", "alice", typed).run();
        assert_eq!(again.rc, pam::AUTH_ERR, "{typed}: {again:#?}");
    }
    let state = machine.run("totpctl show alice").stdout_ok();
    assert!(state.contains("7 recovery codes left."), "{state}");

    let next = machine.pam("totp", "alice", &seed.code()).run();
    assert_eq!(next.rc, pam::SUCCESS);
    assert!(next.shown.last().unwrap().starts_with("A recovery code was used on "), "{next:#?}");
    let silent = machine.pam("totp", "alice", &seed.next_code()).run();
    assert_eq!((silent.rc, silent.shown.len()), (pam::SUCCESS, 1), "told once: {silent:#?}");

    let log = machine.log();
    assert_eq!(log.matches("TOTP_REASON=recovery-code-accepted").count(), 3, "{log}");
    assert!(log.contains("TOTP_REASON=recovery-code-invalid"), "{log}");
    assert!(log.contains("TOTP_RECOVERY_CODES_LEFT=7"));
    for code in &codes {
        assert!(!log.contains(code) && !log.contains(&code.replace('-', "")), "it is in the log");
    }
}

#[test]
fn new_recovery_codes_void_the_old_ones() {
    let machine = Machine::new();
    let (_, old) = alice(&machine);
    let renewed = machine.run("totpctl recovery-codes alice --save /root/codes").stdout_ok();
    let new = codes(&renewed);
    assert_eq!((new.len(), codes(&machine.run("cat /root/codes").stdout_ok())), (10, new.clone()));
    assert_eq!(machine.run("stat -c %a /root/codes").stdout_ok(), "600\n");
    assert_eq!(machine.pam("totp", "alice", &old[0]).run().rc, pam::AUTH_ERR);
    assert_eq!(machine.pam("totp", "alice", &new[0]).run().rc, pam::SUCCESS);
    let over = machine.run("totpctl recovery-codes alice --save /root/codes");
    assert!(over.status == 1 && over.stderr.contains("exists already"), "{over:#?}");
    assert_eq!(machine.pam("totp", "alice", &new[1]).run().rc, pam::SUCCESS, "nothing was renewed");
    let nobody = machine.run("totpctl recovery-codes bob");
    assert!(nobody.status == 1 && nobody.stderr.contains("enroll first"), "{nobody:#?}");
    // They stand in for a factor, and go with it.
    machine.run("totpctl remove alice").stdout_ok();
    assert_eq!(machine.pam("totp", "alice", &new[2]).run().rc, pam::AUTH_ERR);
}

#[test]
fn none_are_made_where_the_configuration_says_so() {
    let machine = Machine::new();
    machine.write("/etc/totpd/totpd.toml.d/10-test.toml", "[enrollment]\nrecovery_codes = 0\n");
    let (_, none) = alice(&machine);
    assert!(none.is_empty());
    let refusal = machine.run("totpctl recovery-codes alice");
    assert!(refusal.stderr.contains("recovery_codes is 0"), "{refusal:#?}");
}

#[test]
fn one_of_fifty_with_one_recovery_code_gets_in() {
    let machine = Machine::new();
    let (_, codes) = alice(&machine);
    let all = machine.pam("totp", "alice", &codes[0]).processes(50).run();
    assert_eq!(all.yes, 1, "{all:#?}");
}

#[test]
fn a_used_code_stays_used_over_a_kill() {
    let machine = Machine::new();
    let (_, codes) = alice(&machine);
    for code in &codes[..5] {
        assert_eq!(machine.pam("totp", "alice", code).run().rc, pam::SUCCESS);
        machine.kill_daemon("KILL");
        let again = machine.pam("totp", "alice", code).run();
        assert_eq!(again.rc, pam::AUTH_ERR, "{again:#?}");
        machine.run("totpctl unlock alice").stdout_ok();
    }
}

#[test]
fn a_restore_voids_the_codes() {
    let machine = Machine::new();
    let (_, codes) = alice(&machine);
    machine.run_with_input("totpctl backup /root/b", "a long passphrase\n").stdout_ok();
    assert_eq!(machine.pam("totp", "alice", &codes[0]).run().rc, pam::SUCCESS);
    machine
        .run_with_input("totpctl restore /root/b --yes --replace", "a long passphrase\n")
        .stdout_ok();
    for code in &codes[..2] {
        assert_eq!(machine.pam("totp", "alice", code).run().rc, pam::AUTH_ERR, "{code}");
    }
    assert!(machine.run("totpctl show alice").stdout_ok().contains("0 recovery codes left."));
}

#[test]
fn guesses_meet_the_throttle_and_keep_nobody_waiting() {
    let machine = Machine::new();
    alice(&machine);
    let seed = machine.enrolled("bob", 2);
    // The time of the 38th of 40 wrong answers, in milliseconds.
    let slow_answer = || {
        let answer = |n: usize| machine.pam("totp", ["bob", "carol"][n % 2], "not a code").run().ms;
        let mut waited: Vec<_> = (0..40).map(answer).collect();
        waited.sort_unstable();
        waited[37]
    };
    let alone = slow_answer();
    let mut guessing = machine.start(
        "exec /opt/tests/guess_flood 5000 alice 0000-0000-0000-0000 > /tmp/guessed 2> /tmp/got_in",
    );
    eventually("it guesses", || {
        machine.run("totpctl show alice").stdout_ok().contains("3 wrong codes")
    });
    let beside = slow_answer();
    assert!(beside < 50.max(10 * alone), "{beside} ms beside guesses, {alone} ms without");
    assert_eq!(machine.pam("totp", "bob", &seed.code()).run().rc, pam::SUCCESS);
    let guessed = || {
        let counts = machine.run("cat /tmp/guessed").stdout_ok();
        counts.lines().filter_map(|count| count.parse::<u32>().ok()).sum::<u32>()
    };
    for part in 1..=4 {
        eventually("it guesses on", || {
            assert_eq!(machine.run("cat /tmp/got_in").stdout_ok(), "", "{} before", guessed());
            guessed() >= part * scaled(25_000, 5000)
        });
    }
    guessing.kill().unwrap();
    guessing.wait().unwrap();
    let state = machine.run("totpctl show alice").stdout_ok();
    let failures: u32 = state
        .lines()
        .find_map(|line| line.strip_prefix("Unknown sources: "))
        .and_then(|line| line.split(' ').next()?.parse().ok())
        .unwrap();
    assert!(failures < 8, "all others were not looked at: {state}");
}
