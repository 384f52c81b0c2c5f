//! Hosts without systemd, and containers whose `/run` is no tmpfs.

use tests::{Machine, pam};

const NOTICE: &str =
    "every login waits for the disk: cannot use /run/totpd/witness: it is on no tmpfs";

/// Returns the mode, the owner and the name of these files.
fn states(machine: &Machine, files: &str) -> String {
    machine.run(&format!("stat -c '%A %U %n' {files}")).stdout_ok()
}

#[test]
fn without_systemd_the_daemon_makes_the_folder_of_the_witness_itself() {
    let machine = Machine::new();
    let seed = machine.enrolled("alice", 1);
    assert_eq!(machine.pam("totp", "alice", &seed.code()).run().rc, pam::SUCCESS);
    let found = states(
        &machine,
        "/run/totpd /run/totpd/private /run/totpd/witness /run/totpd/witness/last",
    );
    let expected = "drwxr-xr-x root /run/totpd\nsrw------- root /run/totpd/private\n\
                    drwx------ root /run/totpd/witness\n-rw------- root /run/totpd/witness/last\n";
    assert_eq!(found, expected);
    assert!(!machine.log().contains("every login waits"), "{}", machine.log());
}

#[test]
fn every_login_waits_for_the_disk_if_run_is_no_tmpfs() {
    let machine = Machine::new();
    let seed = machine.generate_users(20);
    machine
        .run("rm -rf /run/totpd; mkdir -p /run/totpd /var/run-on-disk && mount --bind /var/run-on-disk /run/totpd")
        .stdout_ok();
    machine.set_clock(0);
    let stall = 700;
    let mut daemon = machine.start_on_disk_with_clock(stall);
    machine.run("touch /var/lib/totpd/stall").stdout_ok();
    for user in 0..5 {
        let user = format!("crowd{user}");
        let code = seed.code();
        let is_in = machine.pam("totp", &user, &code).run();
        assert_eq!(is_in.rc, pam::SUCCESS, "{is_in:#?}");
        assert!(is_in.ms >= u64::from(stall), "{is_in:#?}");
        let again = machine.pam("totp", &user, &code).run();
        assert_eq!(again.rc, pam::AUTH_ERR, "{again:#?}");
    }
    assert_eq!(machine.log().matches(NOTICE).count(), 1, "{}", machine.log());
    machine.kill_daemon("KILL");
    daemon.wait().unwrap();
    // There was no mark, so nobody waits.
    let is_in = machine.pam("totp", "crowd5", &seed.code()).run();
    assert_eq!(is_in.rc, pam::SUCCESS, "{is_in:#?}");
    assert_eq!(machine.log().matches(NOTICE).count(), 2, "once at each start");
}
