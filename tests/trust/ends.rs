//! What ends a remembered login.

use tests::{Machine, pam};

use super::{APPROVED, BEHIND, HOME, LET_BY, REFUSED, login, remember};

/// Returns a machine on which a login of alice is remembered.
fn remembering(keys: &str) -> Machine {
    let machine = Machine::new();
    machine.service("behind", BEHIND);
    remember(&machine, keys);
    give_code(&machine);
    machine
}

fn give_code(machine: &Machine) {
    let code = machine.fresh_code("alice");
    assert_eq!(login(machine, "behind", "alice", HOME, &code), APPROVED);
    assert_eq!(login(machine, "behind", "alice", HOME, ""), LET_BY);
}

fn asked(machine: &Machine) -> (i32, usize) {
    login(machine, "behind", "alice", HOME, "")
}

#[test]
fn a_change_of_factors_and_a_changed_password_end_it() {
    let machine = remembering("remember = \"8h\"\nburst = \"5m\"");
    // It outlives the daemon.
    machine.kill_daemon("KILL");
    assert_eq!(asked(&machine), LET_BY);
    for command in [
        "totpctl unlock alice",
        "totpctl rename alice Pixel",
        "totpctl set alice --services behind",
        "totpctl recovery-codes alice",
        "totpctl trust revoke alice",
        "totpctl enroll alice --no-confirm --qr none",
    ] {
        give_code(&machine);
        machine.run(command).stdout_ok();
        assert_eq!(asked(&machine), REFUSED, "{command}");
        machine.run("totpctl unlock alice").stdout_ok();
    }
    let enabled = machine.run("totpctl enable --password passwd");
    assert!(enabled.status == 0 && enabled.text().contains("+password optional"), "{enabled:#?}");
    let again = machine.run("totpctl enable --password passwd").text();
    assert!(again.contains("passwd tells totpd of changed passwords already."), "{again}");
    assert_eq!(machine.run("totpctl enable --password cron").status, 1);
    give_code(&machine);
    machine.run("printf 'alicepw2\\nalicepw2\\n' | passwd alice").stdout_ok();
    assert_eq!(asked(&machine), REFUSED, "root changed the password");
    give_code(&machine);
    let own = "printf 'alicepw2\\nLong-enough-7\\nLong-enough-7\\n' | passwd";
    machine.run_as("alice", own).stdout_ok();
    assert_eq!(asked(&machine), REFUSED, "the user changed the password");
    assert!(machine.log().contains("TOTP_REASON=password-changed"));
    let checked = machine.run("totpctl doctor passwd").text();
    assert!(!checked.contains("module-misplaced"), "{checked}");
    // No daemon, and no fault of the line, keeps a password from being changed.
    machine.run("sed -i 's/^password optional.*/& timeout=1/' /etc/pam.d/passwd").stdout_ok();
    machine.kill_daemon("TERM");
    machine.run("mv /usr/libexec/totpd /usr/libexec/totpd.away").stdout_ok();
    machine.run("printf 'alicepw3\\nalicepw3\\n' | passwd alice").stdout_ok();
    assert!(machine.log().contains("cannot tell totpd of a changed password"));
    machine.run("sed -i 's/timeout=1/nonsense timeout=1/' /etc/pam.d/passwd").stdout_ok();
    machine.run("printf 'alicepw4\\nalicepw4\\n' | passwd alice").stdout_ok();
}

#[test]
fn nobody_but_root_says_that_a_password_changed() {
    let machine = remembering("remember = \"8h\"");
    let call = "org.totpd.Totp1.Login.PasswordChanged";
    for user in ["alice", "carol"] {
        let refused = machine.call(user, call, "alice '{}'").text();
        assert!(refused.contains("NotAuthorized"), "{user}: {refused}");
    }
    assert_eq!(asked(&machine), LET_BY);
    assert!(machine.call("root", call, "alice '{}'").stdout_ok().contains("ended"));
    assert_eq!(asked(&machine), REFUSED);
    assert!(machine.call("root", call, "no-such-user '{}'").stdout_ok().contains("unchanged"));
}

#[test]
fn a_clock_that_is_set_back_makes_it_no_longer() {
    let machine = Machine::new();
    machine.service("behind", BEHIND);
    let mut daemon = machine.start_with_clock();
    remember(&machine, "remember = \"8h\"");
    give_code(&machine);
    machine.set_clock(7 * 3600);
    assert_eq!(asked(&machine), LET_BY);
    machine.set_clock(-60);
    assert_eq!(asked(&machine).0, pam::AUTH_ERR, "the clock is before the login");
    machine.set_clock(8 * 3600);
    assert_eq!(asked(&machine).0, pam::AUTH_ERR);
    machine.kill_daemon("TERM");
    let _ = daemon.wait();
}
