//! The bus gives the identity of the caller, and the message never does.

use tests::{Machine, pam};

const LOGIN: &str = "org.totpd.Totp1.Login";
const MANAGER: &str = "org.totpd.Totp1.Manager";

/// Returns a call of every method, asked for `user`.
pub(crate) fn every_method_for(user: &str) -> Vec<(String, String)> {
    [
        (LOGIN, "Begin", "'@a{sv} {}'"),
        (LOGIN, "Begin", "\"{'nullok': <true>}\""),
        (LOGIN, "Verify", "000000 '@a{sv} {}'"),
        (LOGIN, "Verify", "000000 \"{'rhost': <'192.0.2.1'>, 'ruser': <'alice'>}\""),
        (MANAGER, "Enroll", "'@a{sv} {}'"),
        (MANAGER, "Enroll", "\"{'confirmed': <true>}\""),
        (MANAGER, "Confirm", "f-aaaaaaaa 000000"),
        (MANAGER, "Remove", "'' ''"),
        (MANAGER, "Resync", "'' \"['000000', '000001']\""),
        (MANAGER, "RecoveryCodes", "''"),
        (MANAGER, "SetFactor", "f-aaaaaaaa \"{'name': <'x'>}\" ''"),
        (MANAGER, "Unlock", ""),
        (MANAGER, "GetUser", ""),
    ]
    .into_iter()
    .map(|(interface, method, rest)| (format!("{interface}.{method}"), format!("{user} {rest}")))
    .collect()
}

#[test]
fn another_uid_can_neither_do_nor_learn_anything() {
    let machine = Machine::new();
    let seed = machine.enrolled("alice", 1);
    let before = machine.run("totpctl --json show alice").stdout_ok();
    let mut answers = Vec::new();
    for user in ["alice", "bob", "root", "no-such-user", "'../x'", "''"] {
        for (method, arguments) in every_method_for(user) {
            let refusal = machine.call("carol", &method, &arguments);
            assert_ne!(refusal.status, 0, "{method} {arguments}: {refusal:#?}");
            let name = "org.totpd.Totp1.Error.NotAuthorized: ";
            let (_, words) =
                refusal.stderr.split_once(name).unwrap_or_else(|| panic!("{refusal:?}"));
            // The words may depend on the rest of the call, and never on the name.
            let rest = arguments.strip_prefix(user).unwrap_or_default();
            answers.push((format!("{method}{rest}"), words.to_owned()));
        }
    }
    let listed = machine.call("carol", &format!("{MANAGER}.ListUsers"), "'' 10");
    assert!(listed.stderr.contains("NotAuthorized"), "{listed:#?}");
    for method in ["Rekey", "Verify", "Progress"] {
        // It is not on the bus at all, not even for root.
        let refusal = machine.call("carol", &format!("org.totpd.Totp1.Store.{method}"), "");
        assert!(refusal.stderr.contains("AccessDenied"), "{method}: {refusal:#?}");
        let refusal = machine.call("root", &format!("org.totpd.Totp1.Store.{method}"), "");
        assert_ne!(refusal.status, 0, "{method}: {refusal:#?}");
    }
    // The words are the same for every name, also for one that does not exist.
    answers.sort();
    answers.dedup();
    let mut methods: Vec<_> = answers.iter().map(|(method, _)| method.clone()).collect();
    methods.dedup();
    assert_eq!(answers.len(), methods.len(), "{answers:#?}");

    assert_eq!(machine.run("totpctl --json show alice").stdout_ok(), before, "nothing changed");
    assert_eq!(machine.pam("totp", "alice", &seed.code()).run().rc, pam::SUCCESS);
}

#[test]
fn a_user_manages_itself_with_a_current_code() {
    let machine = Machine::with_programs();
    machine.self_service();
    let seed = machine.enrolled("carol", 3);
    let state = machine.run_as("carol", "totpctl show");
    assert!(state.stdout_ok().contains("carol"), "its own state");

    // A caller without a right code neither replaces nor removes a verified factor.
    for (method, arguments) in [
        ("Enroll", "carol '@a{sv} {}'".to_owned()),
        ("Enroll", format!("carol \"{{'code': <'{}'>}}\"", seed.wrong_code())),
        ("Remove", "carol '' ''".to_owned()),
        ("Remove", format!("carol '' {}", seed.wrong_code())),
    ] {
        let refusal = machine.call("carol", &format!("{MANAGER}.{method}"), &arguments);
        assert!(refusal.stderr.contains("Error.InvalidCode"), "{method} {arguments}: {refusal:#?}");
    }
    let guesses = machine.log().matches("TOTP_REASON=reauthentication-failed").count();
    assert_eq!(guesses, 4, "{}", machine.log());
    let enrolled = machine.call(
        "carol",
        &format!("{MANAGER}.Enroll"),
        &format!("carol \"{{'code': <'{}'>, 'confirmed': <true>}}\"", seed.code()),
    );
    assert!(enrolled.stderr.contains("NotAuthorized"), "never without a first code: {enrolled:#?}");
    let code = seed.code();
    let enrollment = machine.call(
        "carol",
        &format!("{MANAGER}.Enroll"),
        &format!("carol \"{{'code': <'{code}'>}}\""),
    );
    assert!(enrollment.stdout_ok().contains("otpauth://totp/"));
    let used = machine.call("carol", &format!("{MANAGER}.Remove"), &format!("carol '' {code}"));
    assert!(used.stderr.contains("Error.InvalidCode"), "the code is used up: {used:#?}");
    let state = machine.run("totpctl --json show carol").stdout_ok();
    assert!(state.contains("\"verified\"") && state.contains("\"unverified\""), "{state}");
    let removed = machine.call(
        "carol",
        &format!("{MANAGER}.Remove"),
        &format!("carol '' {}", seed.next_code()),
    );
    removed.stdout_ok();
    assert!(machine.run("totpctl --json show carol").stdout_ok().contains("\"factors\":[]"));
}

#[test]
fn a_user_enrolls_itself_unless_the_configuration_says_no() {
    let machine = Machine::with_programs();
    machine.self_service();
    let enrollment = machine.run_as("carol", "totpctl --json enroll").stdout_ok();
    assert!(enrollment.contains("otpauth://"), "{enrollment}");
    machine.write("/etc/totpd/totpd.toml.d/10-test.toml", "[enrollment]\nself_service = false\n");
    machine.kill_daemon("TERM");
    let refusal = machine.run_as("bob", "totpctl enroll");
    assert_eq!(refusal.status, 4, "{refusal:#?}");
    assert!(refusal.stderr.contains("administrator"), "{refusal:#?}");
    machine.run("totpctl --json enroll bob").stdout_ok();
}

#[test]
fn nobody_but_root_can_own_the_name() {
    let machine = Machine::new();
    let request = "gdbus call --system --dest org.freedesktop.DBus \
                   --object-path /org/freedesktop/DBus \
                   --method org.freedesktop.DBus.RequestName org.totpd.Totp1 4";
    for daemon_runs in [false, true] {
        if daemon_runs {
            machine.run("totpctl list").stdout_ok();
        }
        assert_eq!(machine.daemon().is_some(), daemon_runs);
        let refusal = machine.run_as("carol", request);
        assert!(refusal.stderr.contains("AccessDenied"), "{refusal:#?}");
    }
    let second = machine.run("/usr/libexec/totpd");
    assert_ne!(second.status, 0, "a second daemon: {second:#?}");
    assert!(second.stderr.contains("second totpd"), "{second:#?}");
}

#[test]
fn a_caller_that_vanished_is_nobody() {
    let machine = Machine::new();
    machine.enrolled("carol", 3);
    let send = "for n in $(seq 50); do dbus-send --system --dest=org.totpd.Totp1 \
                --type=method_call /org/totpd/Totp1 org.totpd.Totp1.Manager.Remove \
                string:alice string: string:; done";
    machine.run_as("carol", send).stdout_ok();
    let seed = machine.enrolled("alice", 1);
    machine.run_as("carol", send).stdout_ok();
    assert_eq!(machine.pam("totp", "alice", &seed.code()).run().rc, pam::SUCCESS);
}
