//! A factor belongs to a name and a uid, and who that is NSS alone says.

use std::time::{Duration, Instant};

use tests::{Machine, pam};

#[test]
fn an_account_that_was_made_again_inherits_nothing() {
    let machine = Machine::new();
    let seed = machine.enrolled("alice", 1);
    machine.run("userdel alice && useradd -u 4321 -m alice 2>/dev/null; id -u alice").ok();
    let refused = machine.pam("totp", "alice", &seed.code()).go();
    assert_eq!(refused.rc, pam::AUTH_ERR, "{refused:#?}");
    assert!(machine.log().contains("another uid than at enrolment"), "{}", machine.log());
    machine.service(
        "nullok",
        "auth required pam_totp.so nodelay nullok\nauth required pam_permit.so\n",
    );
    assert_eq!(machine.pam("nullok", "alice", "").go().rc, pam::AUTH_ERR, "nor is it let by");
    let own = machine.run_as("alice", "totpctl --json show").ok();
    assert!(own.contains("\"factors\":[]") && own.contains("\"uid\":4321"), "{own}");
    let seed = machine.enrolled("alice", 2);
    assert_eq!(machine.pam("totp", "alice", &seed.code()).go().rc, pam::SUCCESS);
    let state = machine.run("totpctl --json show alice").ok();
    assert!(state.contains("\"uid\":4321"), "{state}");
    assert_eq!(state.matches("\"factor\"").count(), 1, "{state}");
}

#[test]
fn a_user_that_is_gone_can_still_be_removed_from_the_store() {
    let machine = Machine::new();
    let seed = machine.enrolled("alice", 1);
    machine.run("userdel alice").ok();
    assert_eq!(machine.pam("totp", "alice", &seed.code()).go().rc, pam::AUTH_ERR);
    assert!(machine.run("totpctl list").ok().contains("alice"));
    machine.run("totpctl remove alice").ok();
    assert!(!machine.run("totpctl list").ok().contains("alice"));
    let unknown = machine.run("totpctl enroll alice");
    assert_eq!(unknown.status, 1, "{unknown:#?}");
    assert!(unknown.stderr.contains("there is no user"), "{unknown:#?}");
}

#[test]
fn names_that_differ_by_case_are_different_users() {
    let machine = Machine::new();
    machine.run("useradd --badname Alice || useradd --badnames Alice").ok();
    let seed = machine.enrolled("alice", 1);
    assert_eq!(machine.pam("totp", "Alice", &seed.code()).go().rc, pam::AUTH_ERR);
    assert_eq!(machine.pam("totp", "alice", &seed.code()).go().rc, pam::SUCCESS);
}

#[test]
fn a_user_database_in_trouble_is_not_an_absent_user_and_stalls_nobody() {
    let machine = Machine::new();
    machine.with_trouble_in_nss();
    machine.kill_daemon("TERM");
    machine.service(
        "nullok",
        "auth required pam_totp.so nodelay nullok\nauth required pam_permit.so\n",
    );
    let seed = machine.enrolled("alice", 1);
    let broken = machine.pam("nullok", "broken1", "").go();
    assert_eq!(broken.rc, pam::AUTHINFO_UNAVAIL, "{broken:#?}");
    assert!(machine.log().contains("user database (NSS) does not answer"), "{}", machine.log());

    let hanging: Vec<_> =
        (0..20).map(|n| machine.start(&format!("/opt/tests/pam totp hang{n} 123456"))).collect();
    tests::eventually("twenty lookups hang", || {
        let threads = machine.run("ls /proc/$(pidof totpd)/task | wc -l").ok();
        threads.trim().parse::<u32>().unwrap() >= 20
    });
    let start = Instant::now();
    assert_eq!(machine.pam("totp", "alice", &seed.code()).go().rc, pam::SUCCESS);
    assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
    for login in hanging {
        let out = login.wait_with_output().unwrap();
        let text = String::from_utf8_lossy(&out.stdout).into_owned();
        assert!(text.contains(&format!("rc={} ", pam::AUTHINFO_UNAVAIL)), "{text}");
    }
}
