//! A clock that is far off lets nobody in by mistake, and breaks nothing.

use tests::{Machine, eventually, pam};

#[test]
fn codes_are_wrong_before_1970_and_right_after_2106() {
    let machine = Machine::new();
    let seed = machine.enrolled("alice", 1);
    let after_2106 = "4417977600"; // 2110-01-01
    let mut daemons = Vec::new();
    for when in ["1960-01-01 00:00:00", "2110-01-01 00:00:00"] {
        machine.run("totpctl unlock alice").stdout_ok();
        machine.kill_daemon("TERM");
        daemons
            .push(machine.start(&format!("TZ=UTC exec faketime -f '@{when}' /usr/libexec/totpd")));
        eventually("the daemon is on the bus", || machine.owns_its_name());
        let now = machine.pam("totp", "alice", &seed.code()).run();
        assert_eq!(now.rc, pam::AUTH_ERR, "{when}: {now:#?}");
    }
    let code = machine
        .run(&format!("oathtool --totp --base32 --now @{after_2106} {}", seed.0))
        .stdout_ok();
    let then = machine.pam("totp", "alice", code.trim()).run();
    assert_eq!(then.rc, pam::SUCCESS, "{then:#?}");
    let again = machine.pam("totp", "alice", code.trim()).run();
    assert_eq!(again.rc, pam::AUTH_ERR, "{again:#?}");
    machine.kill_daemon("TERM");
    for mut daemon in daemons {
        daemon.wait().unwrap();
    }
}

/// A virtual machine that slept, or a board without a battery.
#[test]
fn a_clock_that_is_forty_minutes_slow_locks_nobody_out() {
    let machine = Machine::new();
    let seed = machine.enrolled("alice", 1);
    let codes = machine.run("totpctl recovery-codes alice").stdout_ok();
    let recovery = codes.split_whitespace().find(|word| word.len() == 19).unwrap();
    let mut daemon = machine.start_with_clock();
    let home = "192.0.2.1";
    let log_in = |code: &str| machine.pam("totp", "alice", code).from(home).run().rc;
    assert_eq!(log_in(&seed.code()), pam::SUCCESS);
    machine.set_clock(-2400);
    assert_eq!(log_in(&seed.next_code()), pam::AUTH_ERR, "the code of the real time");
    assert_eq!(log_in(&seed.code_after(-2400)), pam::AUTH_ERR, "no time step comes back");
    assert_eq!(log_in(recovery), pam::SUCCESS);
    // The time service puts the clock right.
    machine.set_clock(60);
    assert_eq!(log_in(&seed.code_after(60)), pam::SUCCESS);
    let state = machine.run("totpctl show alice").stdout_ok();
    assert!(state.contains("Unknown sources: no wrong codes."), "{state}");
    assert!(state.contains(&format!("{home} (known): no wrong codes")), "{state}");
    // Wrong codes of a time ahead make nobody wait until then.
    machine.set_clock(2400);
    machine.pam("totp", "alice", &seed.wrong_code()).from(home).repeat(20).run();
    machine.set_clock(60);
    let waits = machine.pam("totp", "alice", &seed.code_after(90)).from(home).run();
    assert_eq!(waits.rc, pam::MAXTRIES, "{waits:#?}");
    machine.set_clock(60 + 31);
    assert_eq!(log_in(&seed.code_after(91)), pam::SUCCESS);
    machine.kill_daemon("TERM");
    daemon.wait().unwrap();
}
