//! The content of the journal, and the data that it must not hold.

use tests::{Machine, eventually, pam};

/// People type their password at a prompt that asks for the name.
#[test]
fn a_password_typed_as_a_name_is_in_no_log() {
    let machine = Machine::new();
    machine.enrolled("alice", 1);
    for options in
        ["debug", "debug nullok", "debug enroll", "debug show_names", "debug forward_pass"]
    {
        let service = options.replace(' ', "-");
        machine.service(&service, &format!("auth required pam_totp.so nodelay {options}\n"));
    }
    let long = format!("hunter2-{}", "x".repeat(300));
    for typed in ["hunter2-Trailer", "hunter2:a/b", "hunter2\nnew line", "Hunter2 hunter2", &long] {
        for service in ["totp", "debug", "debug-nullok", "debug-enroll", "debug-show_names"] {
            let refusal =
                machine.pam(service, typed, "000000").terminal("ssh").from("192.0.2.1").run();
            assert!([pam::AUTH_ERR, pam::MAXTRIES].contains(&refusal.rc), "{refusal:#?}");
        }
        machine.pam("debug-forward_pass", typed, "a password 123456").run();
    }
    // The requests come over the bus, from root and from others, and from programs that manage
    // users.
    for user in ["root", "carol"] {
        for (method, arguments) in [
            ("Login.Begin", "hunter2 '@a{sv} {}'"),
            ("Login.Verify", "hunter2 000000 '@a{sv} {}'"),
            ("Login.Verify", "hunter2 0000-0000-0000-0000 '@a{sv} {}'"),
            ("Manager.GetUser", "hunter2"),
            ("Manager.Unlock", "hunter2"),
            ("Manager.Remove", "hunter2 '' ''"),
            ("Manager.Enroll", "hunter2 '@a{sv} {}'"),
        ] {
            machine.call(user, &format!("org.totpd.Totp1.{method}"), arguments);
        }
    }
    let known = machine.pam("debug", "alice", "000000").from("192.0.2.1").run();
    assert_eq!(known.rc, pam::AUTH_ERR, "{known:#?}");
    let log = machine.log();
    assert!(!log.to_lowercase().contains("hunter2"), "{log}");
    let unknown = "for a name that this machine does not know at totp from 192.0.2.1: no such user";
    assert!(log.contains(unknown), "{log}");
    assert!(log.contains("denied for alice at debug from 192.0.2.1: wrong code"), "{log}");
    assert!(log.contains("TOTP_USER=alice"), "{log}");
}

/// Returns the number behind each `word` of a log.
fn numbers(log: &str, word: &str) -> Vec<usize> {
    log.lines().filter_map(|line| line.strip_prefix(word)?.parse().ok()).collect()
}

/// journald drops the output of a unit beyond 10,000 lines in 30 s. It does so for any cause.
#[test]
fn a_flood_of_refusals_is_summed_up_and_hides_no_other() {
    let machine = Machine::new();
    let alice = machine.enrolled("alice", 1);
    machine.enrolled("carol", 2);
    let (own, strange) = (400, 600);
    // A user floods with wrong codes of its own over the bus, and a stranger with those of alice.
    let mut flood = machine.start(&format!(
        "exec setpriv --reuid carol --regid carol --init-groups \
         /opt/tests/pam -n {own} totp carol 000000 > /tmp/flood"
    ));
    let wrong = alice.wrong_code();
    let guessed = machine.pam("totp", "alice", &wrong).from("192.0.2.1");
    guessed.repeat(strange).run();
    let approved = machine.pam("totp", "alice", &alice.code()).from("198.51.100.7").run();
    // Strangers wait, and this is one: its refusal is not of those that flood.
    assert_eq!(approved.rc, pam::MAXTRIES, "{approved:#?}");
    machine.run("totpctl unlock alice").stdout_ok();
    let approved = machine.pam("totp", "alice", &alice.code()).from("198.51.100.7").run();
    assert_eq!(approved.rc, pam::SUCCESS, "{approved:#?}");
    assert!(flood.wait().unwrap().success());
    let lines = |log: &str, of: &str| {
        let is_one = |line: &&str| line.starts_with("MESSAGE=") && line.contains(of);
        log.lines().filter(is_one).filter(|line| !line.contains("not written")).count()
    };
    let (carol, stranger) = (" for carol at ", " for alice at totp from 192.0.2.1");
    // Each refusal is either a line or counted in one.
    eventually("the rest is summed up", || {
        let log = machine.log();
        let unwritten: usize = numbers(&log, "TOTP_UNWRITTEN=").iter().sum();
        lines(&log, carol) + lines(&log, stranger) + unwritten == own + strange
    });
    let log = machine.log();
    for of in [carol, stranger] {
        let written = lines(&log, of);
        assert!((30..100).contains(&written), "{of}: {written} lines");
    }
    assert!(log.contains("throttled for alice at totp from 198.51.100.7: waiting"), "{log}");
    assert!(log.contains("approved for alice at totp from 198.51.100.7: right code"), "{log}");
    assert!(log.contains("alice by uid 0: wrong codes and remembered logins forgotten"), "{log}");
    assert!(
        log.contains("lines like this were not written: denied or throttled for carol"),
        "{log}"
    );
}
