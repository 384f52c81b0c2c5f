//! Logins under rules of the administrator.

use totpd_core::policy::{
    Deadline, GroupName, Limits, OneOf, PlacePattern, Rule, RuleName, ServicePattern, Then,
    UserPattern,
};
use totpd_core::verification::{Method, Methods};

use super::*;
use crate::config::RuleSet;

const ASKED: &str = "prompt: Verification code: ";
const FAR: u64 = 4_000_000_000;

/// A rule for everybody everywhere.
pub(super) fn rule(then: Then) -> Rule {
    let name = RuleName::parse("rule").unwrap();
    Rule { name, users: None, groups: None, services: None, from: None, then }
}

/// Returns a login service with these rules, over an empty store.
pub(super) fn with_rules(rules: Vec<Rule>) -> LocalLogin {
    let daemon = daemon().0;
    daemon.enforce(RuleSet::of(rules));
    LocalLogin(Arc::new(daemon))
}

/// Returns the present code of a fresh record, which is put into the store.
pub(super) fn enroll_and_code(login: &LocalLogin) -> String {
    let record = enrolled(1);
    let step = time_step(clock::now(), 30);
    let code = code_of(&record.factors[0], step);
    let code = format!("{:06}", code.value());
    put(&login.0, OTHER_NAME, record);
    code
}

fn verdict(
    login: &LocalLogin,
    caller: Caller,
    code: &str,
    entries: &[(&str, Variant<'_>)],
) -> String {
    verify_with(login, caller, code, entries).0
}

#[test]
fn a_rule_lets_by_whom_it_names_and_only_at_root_s_programs() {
    let network = OneOf::new(vec![PlacePattern::parse("10.0.0.0/8").unwrap()]);
    let service = OneOf::new(vec![ServicePattern::parse("sshd").unwrap()]);
    let login = with_rules(vec![Rule { from: network, services: service, ..rule(Then::Skip) }]);
    let (service, ssh) = (("service", "sshd".into()), ("rhost", "10.1.2.3".into()));
    let inside = [service, ssh];
    for (caller, entries, expected) in [
        (ROOT, &inside[..], "skip"),
        (ROOT, &inside[..1], ASKED),
        (ROOT, &inside[1..], ASKED),
        (ROOT, &[("service", "sudo".into()), ("rhost", "10.1.2.3".into())], ASKED),
        (ROOT, &[("service", "sshd".into()), ("rhost", "11.1.2.3".into())], ASKED),
        (ROOT, &[("service", "sshd".into()), ("rhost", "127.0.0.1".into())], ASKED),
        (ROOT, &[("service", "sshd".into()), ("rhost", "office.example.org".into())], ASKED),
        (OTHER, &inside[..], ASKED),
    ] {
        assert_eq!(begin(&login, caller, OTHER_NAME, entries), expected, "{caller:?} {entries:?}");
    }
    put(&login.0, OTHER_NAME, enrolled(1));
    assert_eq!(begin(&login, ROOT, OTHER_NAME, &inside), "skip", "with a factor too");
    assert_eq!(begin(&login, ROOT, "no-such-user", &inside), "skip", "a place tells no names");
}

#[test]
fn forward_pass_is_told_by_verify_alone() {
    let login = with_rules(vec![rule(Then::Skip)]);
    let combined = [("forward_pass", true.into())];
    assert_eq!(begin(&login, ROOT, OTHER_NAME, &combined), ASKED);
    let code = enroll_and_code(&login);
    for typed in ["", "000000", &code] {
        assert_eq!(verdict(&login, ROOT, typed, &combined), "skipped", "{typed}");
    }
    assert!(stored(&login.0, OTHER_NAME).unwrap().factors[0].last_accepted.is_none(), "unused");
}

#[test]
fn a_refused_login_is_asked_like_any_other() {
    let login = with_rules(vec![rule(Then::Deny)]);
    let enroll = [
        ("enroll", true.into()),
        ("nullok", true.into()),
        ("tty", "ssh".into()),
        ("nonce", NONCE.into()),
    ];
    assert_eq!(begin(&login, ROOT, OTHER_NAME, &enroll), ASKED, "it makes no factor");
    let code = enroll_and_code(&login);
    assert_eq!(begin(&login, ROOT, OTHER_NAME, &[]), ASKED);
    assert_eq!(verdict(&login, ROOT, &code, &[]), "denied");
    assert!(stored(&login.0, OTHER_NAME).unwrap().factors[0].last_accepted.is_none());
    assert_eq!(verdict(&login, OTHER, &code, &[]), "approved", "it is right elsewhere");
}

#[test]
fn a_refused_answer_spends_no_budget_of_the_user() {
    let login = with_rules(vec![rule(Then::Deny)]);
    let code = enroll_and_code(&login);
    for typed in ["000000", "0000-0000-0000-0000", "", "secret"].repeat(10) {
        assert_eq!(verdict(&login, ROOT, typed, &[]), "denied", "{typed}");
    }
    assert_eq!(begin(&login, ROOT, OTHER_NAME, &[]), ASKED);
    assert_eq!(verdict(&login, OTHER, &code, &[]), "approved", "it is right elsewhere");
}

#[test]
fn a_deadline_lets_by_users_without_a_factor_until_it_passes() {
    let nullok = [("nullok", true.into())];
    let open = with_rules(vec![rule(Then::EnrollBy(Deadline(FAR)))]);
    let told = begin(&open, ROOT, OTHER_NAME, &[]);
    assert!(told.starts_with("skip: Enroll a second factor: "), "{told}");
    assert_eq!(begin(&open, ROOT, "no-such-user", &[]), ASKED);
    assert_eq!(verdict(&open, ROOT, "", &[("forward_pass", true.into())]), "skipped");
    let code = enroll_and_code(&open);
    assert_eq!(begin(&open, ROOT, OTHER_NAME, &nullok), ASKED);
    assert_eq!(verdict(&open, ROOT, "", &[]), "denied");
    assert_eq!(verdict(&open, ROOT, &code, &[]), "approved");
    let passed = with_rules(vec![rule(Then::EnrollBy(Deadline(1)))]);
    assert_eq!(begin(&passed, ROOT, OTHER_NAME, &nullok), ASKED, "it outlives nullok");
    assert_eq!(verdict(&passed, ROOT, "000000", &[]), "denied");
    let shown = [("enroll", true.into()), ("tty", "ssh".into()), ("nonce", NONCE.into())];
    assert!(begin(&passed, ROOT, OTHER_NAME, &shown).starts_with("enroll: "));
}

#[test]
fn with_forward_pass_nothing_tells_who_has_no_factor() {
    let open = with_rules(vec![rule(Then::EnrollBy(Deadline(FAR)))]);
    let combined = [("forward_pass", true.into())];
    assert_eq!(begin(&open, ROOT, OTHER_NAME, &combined), ASKED);
    let (word, details) = verify_with(&open, ROOT, "", &combined);
    assert_eq!((word.as_str(), details.len()), ("skipped", 0), "{details:?}");
}

#[test]
fn nullok_counts_where_a_rule_asks_for_a_code() {
    let asking = with_rules(vec![rule(Then::Require(Limits::NONE))]);
    let nullok = [("nullok", true.into())];
    assert_eq!(begin(&asking, ROOT, OTHER_NAME, &[]), ASKED);
    assert_eq!(begin(&asking, ROOT, OTHER_NAME, &nullok), "skip");
    assert_eq!(begin(&asking, ROOT, "no-such-user", &nullok), ASKED);
    put(&asking.0, OTHER_NAME, enrolled(1));
    assert_eq!(begin(&asking, ROOT, OTHER_NAME, &nullok), ASKED);
}

#[test]
fn what_a_user_without_a_factor_reads_does_not_tell_a_refusal() {
    let enroll = [("enroll", true.into()), ("tty", "dovecot".into()), ("nonce", NONCE.into())];
    let seen = [Then::Deny, Then::Require(Limits::NONE)].map(|then| {
        let login = with_rules(vec![rule(then)]);
        let (word, details) = verify_with(&login, ROOT, "000000", &enroll);
        (begin(&login, ROOT, OTHER_NAME, &enroll), word, format!("{details:?}"))
    });
    assert_eq!(seen[0], seen[1]);
}

#[test]
fn a_login_that_names_neither_remote_end_nor_terminal_is_not_local() {
    let local = OneOf::new(vec![PlacePattern::parse("local").unwrap()]);
    let login = with_rules(vec![Rule { from: local, ..rule(Then::Skip) }]);
    for (more, expected) in [
        (&[][..], ASKED),
        (&[("tty", "pts/3")], ASKED),
        (&[("rhost", "127.0.0.1"), ("ruser", "bin")], ASKED),
        (&[("ruser", "bin")], "skip"),
        (&[("tty", "/dev/tty1")], "skip"),
    ] {
        let entries = [&[("service", "openvpn")], more].concat();
        let entries: Vec<_> = entries.iter().map(|(key, text)| (*key, (*text).into())).collect();
        assert_eq!(begin(&login, ROOT, OTHER_NAME, &entries), expected, "{more:?}");
    }
}

#[test]
fn methods_say_which_codes_count() {
    let limits = |method| Limits { methods: Methods::of(&[method]).unwrap(), ..Limits::NONE };
    let paper = with_rules(vec![rule(Then::Require(limits(Method::Recovery)))]);
    let code = enroll_and_code(&paper);
    assert_eq!(verdict(&paper, ROOT, &code, &[]), "denied");
    let app = with_rules(vec![rule(Then::Require(limits(Method::Totp)))]);
    let code = enroll_and_code(&app);
    assert_eq!(verdict(&app, ROOT, "AAAA-AAAA-AAAA-AAAA", &[]), "denied");
    assert_eq!(verdict(&app, ROOT, &code, &[]), "approved");
}

#[test]
fn groups_are_those_of_nss() {
    let of = |group: &str, then| Rule {
        groups: OneOf::new(vec![GroupName::parse(group).unwrap()]),
        ..rule(then)
    };
    let member = with_rules(vec![of(OTHER_NAME, Then::Skip)]);
    let stranger = with_rules(vec![of("no-such-group", Then::Skip)]);
    assert_eq!(begin(&member, ROOT, OTHER_NAME, &[]), "skip");
    assert_eq!(begin(&member, ROOT, "root", &[]), ASKED);
    assert_eq!(begin(&stranger, ROOT, OTHER_NAME, &[]), ASKED);
    let user = OneOf::new(vec![UserPattern::parse("daem*").unwrap()]);
    let named = with_rules(vec![Rule { users: user, ..rule(Then::Skip) }]);
    assert_eq!(begin(&named, ROOT, OTHER_NAME, &[]), "skip");
}
