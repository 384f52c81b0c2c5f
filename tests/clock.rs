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
