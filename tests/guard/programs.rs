//! su, sudo and cron with a guard in their stacks, where an administrator may put one by hand.

use tests::Machine;

use super::{GUARDED, NEEDS_CODE, NO_FACTOR, phases};

/// Puts a guard before all other lines of a file.
fn guard(machine: &Machine, service: &str) {
    let file = format!("/etc/pam.d/{service}");
    machine
        .run(&format!("sed -i '1i account required pam_totp.so guard' {file} && head -n 1 {file}"))
        .stdout_ok();
}

#[test]
fn root_becomes_anybody_and_others_need_a_code() {
    let machine = Machine::new();
    guard(&machine, "su");
    machine.enrolled("bob", 1);
    for shell in ["su bob -c 'id -un'", "su - bob -c 'id -un'", "runuser -u bob -- id -un"] {
        assert_eq!(machine.run(shell).stdout_ok().trim(), "bob", "{shell}");
    }
    // su asks alice for the password of bob alone, and that is right.
    let refused = machine.run_as_with_input("alice", "su bob -c 'id -un'", "bobpw\n");
    assert!(refused.status != 0 && refused.text().contains(NEEDS_CODE), "{refused:#?}");
    let refused = machine.run_as_with_input("alice", "su carol -c 'id -un'", "carolpw\n");
    assert!(refused.status != 0 && refused.text().contains(NO_FACTOR), "{refused:#?}");
    machine.run("sed -i '2i auth required pam_totp.so nodelay' /etc/pam.d/su").stdout_ok();
    let typed = format!("{}\nbobpw\n", machine.fresh_code("bob"));
    let entered = machine.run_as_with_input("alice", "su bob -c 'id -un'", &typed);
    assert_eq!(entered.stdout.trim(), "bob", "{entered:#?}");
}

/// With a valid ticket, sudo asks for the account phase without a code. So sudo gets no guard.
#[test]
fn sudo_goes_on_without_a_guard_and_doctor_names_one_there() {
    let machine = Machine::new();
    machine.enrolled("alice", 1);
    machine
        .run(
            "printf 'alice ALL=(ALL) ALL\\nDefaults timestamp_type=global\\n' > /etc/sudoers.d/alice
             sed -i 's/^@include common-auth/&\\nauth required pam_totp.so nodelay/' /etc/pam.d/sudo
             grep pam_totp.so /etc/pam.d/sudo",
        )
        .stdout_ok();
    let first = |code: &str| {
        let typed = format!("alicepw\n{code}\n");
        machine.run_as_with_input("alice", "sudo -k; sudo -S -p '' id -un", &typed)
    };
    let second = || machine.run_as("alice", "sudo -n id -un");
    let with_code = first(&machine.fresh_code("alice"));
    assert_eq!(with_code.stdout.trim(), "root", "{with_code:#?}");
    assert_eq!(second().stdout.trim(), "root", "the ticket is valid");
    let refused = machine.run("totpctl enable --guard sudo");
    assert!(
        refused.status == 1 && refused.text().contains("while its ticket is valid"),
        "{refused:#?}"
    );

    guard(&machine, "sudo");
    let with_code = first(&machine.fresh_code("alice"));
    assert_eq!(with_code.stdout.trim(), "root", "{with_code:#?}");
    let refused = second();
    let told = refused.text();
    assert!(refused.stdout.is_empty() && told.contains("Permission denied"), "{refused:#?}");
    let doctor = machine.run("totpctl doctor sudo");
    assert!(doctor.status == 1 && doctor.text().contains("[guard-misplaced]"), "{doctor:#?}");
}

/// What a program calls that starts something for a user at a time.
#[test]
fn programs_that_nobody_sits_behind_go_on() {
    let machine = Machine::new();
    machine.enrolled("alice", 1);
    for (service, goes_on) in
        [("cron", true), ("crond", true), ("atd", true), ("systemd-user", true), ("crontab", false)]
    {
        machine.service(service, GUARDED);
        let ran = phases(&machine, service, "alice", "account setcred session");
        let first = if goes_on { "account 0" } else { NEEDS_CODE };
        assert_eq!(ran[0], first, "{service}: {ran:?}");
    }
}

/// An automatic login asks for the account phase alone, as a key does.
#[test]
fn an_automatic_login_at_a_guarded_login_is_refused() {
    let machine = Machine::new();
    machine.enrolled("alice", 1);
    let log_in = || {
        let typed = "printf 'echo in as $(id -un)\\nexit\\n'";
        machine.run(&format!("{typed} | timeout 100 script -qec 'login -f alice' /dev/null")).text()
    };
    assert!(log_in().contains("in as alice"), "without a guard");
    // totpctl names it, and doctor says that it is over.
    machine.write("/etc/inittab", "1:2345:respawn:/sbin/agetty -a alice tty1\n");
    let refused = machine.run("totpctl enable --guard login");
    let named = refused.text().contains("alice (/etc/inittab:1)");
    assert!(refused.status == 1 && named, "{refused:#?}");
    let door = || {
        let told = machine.run("totpctl doctor").stdout;
        let line = told.lines().find(|line| line.contains("getty, automatic login (alice)"));
        line.unwrap_or_else(|| panic!("{told}")).to_owned()
    };
    assert!(door().contains("does not ask for a code"), "{}", door());
    machine.run("totpctl enable --guard --even-so login").stdout_ok();
    assert!(door().contains("lets the user by (/etc/inittab:1)"), "{}", door());
    machine.run("totpctl disable login").stdout_ok();
    guard(&machine, "login");
    let told = log_in();
    assert!(told.contains(NEEDS_CODE) && !told.contains("in as alice"), "{told}");
}
