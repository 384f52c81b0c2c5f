//! Logins that need no code, because there was one a moment ago.

use totpd_core::fixtures::recovery_codes;
use totpd_core::policy::{Burst, Limits, Remember, Then};

use super::rules::{enroll_and_code, rule, with_rules};
use super::*;
use crate::access::origin::Origin;
use crate::manage::Manager;

const PROMPT: &str = "prompt: Verification code: ";

fn remembering(remember: Option<u64>, burst: Option<u64>) -> LocalLogin {
    let (remember, burst) = (remember.and_then(Remember::new), burst.and_then(Burst::new));
    with_rules(vec![rule(Then::Require(Limits { remember, burst, ..Limits::NONE }))])
}

fn at<'a>(service: &'a str, rhost: &'a str) -> Vec<(&'a str, Variant<'a>)> {
    vec![("service", service.into()), ("rhost", rhost.into()), ("tty", "ssh".into())]
}

fn home() -> Vec<(&'static str, Variant<'static>)> {
    at("sshd", "192.0.2.1")
}

fn with<'a>(
    mut entries: Vec<(&'a str, Variant<'a>)>,
    key: &'a str,
    value: Variant<'a>,
) -> Vec<(&'a str, Variant<'a>)> {
    entries.push((key, value));
    entries
}

fn asked(login: &LocalLogin, entries: &[(&str, Variant<'_>)]) -> String {
    begin(login, ROOT, OTHER_NAME, entries)
}

fn verdict(login: &LocalLogin, code: &str, entries: &[(&str, Variant<'_>)]) -> String {
    verify_with(login, ROOT, code, entries).0
}

fn guarded(login: &LocalLogin, entries: &[(&str, Variant<'_>)]) -> bool {
    run(login.guard(ROOT, OTHER_NAME, &context(ROOT, entries))).unwrap().is_let_by
}

#[test]
fn only_the_same_user_source_and_service_are_let_by() {
    let login = remembering(Some(3600), None);
    let code = enroll_and_code(&login);
    assert_eq!(asked(&login, &home()), PROMPT);
    assert_eq!(verdict(&login, &code, &home()), "approved");
    for _ in 0..30 {
        assert_eq!(asked(&login, &home()), "skip");
    }
    assert_eq!(asked(&login, &at("sshd", "::ffff:192.0.2.1")), "skip", "the same address");
    for (service, rhost) in [
        ("sshd", "192.0.2.2"),
        ("sshd", "127.0.0.1"),
        ("sshd", "::1"),
        ("sshd", "192.0.2.1.example.org"),
        ("sshd", ""),
        ("sshd2", "192.0.2.1"),
        ("sudo", "192.0.2.1"),
        ("sudo-i", "192.0.2.1"),
        ("", "192.0.2.1"),
    ] {
        assert_eq!(asked(&login, &at(service, rhost)), PROMPT, "{service} {rhost}");
        assert!(!guarded(&login, &at(service, rhost)), "{service} {rhost}");
    }
    assert!(guarded(&login, &home()));
    assert_eq!(begin(&login, ROOT, "root", &home()), PROMPT, "another user");
    // The code is used up, also at the same source.
    assert_eq!(verdict(&login, &code, &at("sshd", "192.0.2.2")), "denied");
    assert_eq!(verdict(&login, &code, &at("sudo", "192.0.2.1")), "denied");
}

#[test]
fn an_ordinary_caller_neither_uses_nor_makes_what_is_remembered() {
    let login = remembering(Some(3600), Some(20));
    let code = enroll_and_code(&login);
    assert_eq!(verify_with(&login, OTHER, &code, &home()).0, "approved");
    assert_eq!(asked(&login, &home()), PROMPT, "a forged source is remembered for nobody");
    let code = enroll_and_code(&login);
    assert_eq!(verdict(&login, &code, &home()), "approved");
    assert_eq!(asked(&login, &home()), "skip");
    assert_eq!(begin(&login, OTHER, OTHER_NAME, &home()), PROMPT);
    assert_eq!(verify_with(&login, OTHER, "000000", &home()).0, "denied");
    let reported = run(login.password_changed(OTHER, OTHER_NAME));
    assert!(matches!(reported, Err(Error::NotAuthorized(_))), "{reported:?}");
    assert_eq!(asked(&login, &home()), "skip");
}

#[test]
fn no_source_of_this_machine_is_remembered() {
    for entries in [
        vec![("service", "sudo".into()), ("ruser", "bin".into()), ("tty", "/dev/pts/1".into())],
        vec![("service", "login".into()), ("tty", "tty1".into())],
        at("sshd", "127.0.0.1"),
        at("sshd", "fe80::1%eth0"),
        at("sshd", "host.example.org"),
    ] {
        let login = remembering(Some(3600), Some(20));
        let code = enroll_and_code(&login);
        assert_eq!(verdict(&login, &code, &entries), "approved");
        assert_eq!(asked(&login, &entries), PROMPT, "{entries:?}");
        assert!(stored(&login.0, OTHER_NAME).unwrap().trust.remembered().is_empty());
    }
}

#[test]
fn a_burst_opens_twenty_further_connections_and_is_in_memory_alone() {
    let login = remembering(None, Some(300));
    let code = enroll_and_code(&login);
    assert_eq!(verdict(&login, &code, &home()), "approved");
    assert!(stored(&login.0, OTHER_NAME).unwrap().trust.remembered().is_empty());
    assert_eq!(verdict(&login, &code, &at("sshd", "192.0.2.2")), "denied", "no replay");
    let opened = (0..50).filter(|number| match number % 2 {
        0 => asked(&login, &home()) == "skip",
        _ => guarded(&login, &home()),
    });
    assert_eq!(opened.count(), 20);
    assert_eq!(verdict(&login, &code, &home()), "denied");
}

#[test]
fn with_forward_pass_only_verify_tells_it() {
    let login = remembering(None, Some(300));
    let code = enroll_and_code(&login);
    let combined = || with(home(), "forward_pass", true.into());
    assert_eq!(verdict(&login, &code, &combined()), "approved");
    for _ in 0..30 {
        assert_eq!(asked(&login, &combined()), PROMPT, "it tells nothing, and counts nothing");
    }
    assert_eq!(verdict(&login, "", &combined()), "skipped");
    assert_eq!(
        verdict(&login, "", &with(at("sshd", "192.0.2.2"), "forward_pass", true.into())),
        "denied"
    );
}

#[test]
fn only_a_right_code_is_remembered_and_no_recovery_code() {
    let login = remembering(Some(3600), Some(300));
    enroll_and_code(&login);
    assert_eq!(verdict(&login, "000000", &home()), "denied");
    assert_eq!(asked(&login, &home()), PROMPT);
    let (codes, recovery) = recovery_codes(3, 1);
    put(&login.0, OTHER_NAME, Record { recovery, ..enrolled(1) });
    assert_eq!(verdict(&login, &codes[0].display(), &home()), "approved");
    assert_eq!(asked(&login, &home()), PROMPT);
}

/// What somebody does.
type End<'a> = &'a dyn Fn(&LocalLogin);

#[test]
fn what_is_remembered_ends() {
    let root = Origin::root();
    let manager = |login: &LocalLogin| Manager(Arc::clone(&login.0));
    let user = || OTHER_NAME.to_owned();
    let ends: [(&str, End<'_>); 6] = [
        ("unlock", &|login| run(manager(login).unlock(&root, user())).unwrap()),
        ("revocation", &|login| {
            assert_eq!(run(manager(login).revoke_trust(&root, user())).unwrap(), 2);
        }),
        ("revocation for all", &|login| {
            assert_eq!(run(manager(login).revoke_trust(&root, String::new())).unwrap(), 2);
        }),
        ("a password", &|login| {
            assert_eq!(run(login.password_changed(ROOT, OTHER_NAME)).unwrap().word(), "ended");
            assert_eq!(run(login.password_changed(ROOT, OTHER_NAME)).unwrap().word(), "unchanged");
        }),
        ("a factor", &|login| {
            let id = stored(&login.0, OTHER_NAME).unwrap().factors[0].id.to_string();
            let changes = dictionary(&[("disabled", true.into())]);
            let set = manager(login);
            run(set.set_factor(&root, user(), id, &changes, String::new())).unwrap();
        }),
        ("removal", &|login| {
            let (all, code) = (String::new(), String::new());
            run(manager(login).remove(&root, user(), all, code)).unwrap();
        }),
    ];
    for (why, end) in ends {
        let login = remembering(Some(3600), Some(300));
        let code = enroll_and_code(&login);
        assert_eq!(verdict(&login, &code, &home()), "approved");
        assert_eq!(asked(&login, &home()), "skip");
        assert_eq!(run(manager(&login).list_trust(&root, user())).unwrap().len(), 2, "{why}");
        end(&login);
        assert_eq!(asked(&login, &home()), PROMPT, "{why}");
        assert!(!guarded(&login, &home()), "{why}");
        assert!(run(manager(&login).list_trust(&root, String::new())).unwrap().is_empty(), "{why}");
    }
}

#[test]
fn other_rules_end_it_and_a_start_of_the_host_too() {
    let login = remembering(Some(3600), None);
    let code = enroll_and_code(&login);
    assert_eq!(verdict(&login, &code, &home()), "approved");
    let record = stored(&login.0, OTHER_NAME).unwrap();
    for (then, expected) in [
        (Then::Require(Limits::NONE), PROMPT),
        (
            Then::Require(Limits { fresh: true, remember: Remember::new(60), ..Limits::NONE }),
            PROMPT,
        ),
        (Then::Deny, PROMPT),
        (Then::Require(Limits { remember: Remember::new(60), ..Limits::NONE }), "skip"),
    ] {
        login.0.enforce(crate::config::RuleSet::of(vec![rule(then)]));
        assert_eq!(asked(&login, &home()), expected, "{then:?}");
    }
    // Another daemon of this test draws another id, as after a start of the host.
    let later = remembering(Some(3600), None);
    put(&later.0, OTHER_NAME, record);
    assert_eq!(asked(&later, &home()), PROMPT);
}

#[test]
fn a_password_change_of_a_user_without_a_record_writes_nothing() {
    let login = remembering(Some(3600), None);
    for name in [OTHER_NAME, "no-such-user"] {
        assert_eq!(run(login.password_changed(ROOT, name)).unwrap().word(), "unchanged");
        assert!(stored(&login.0, name).is_none());
    }
}
