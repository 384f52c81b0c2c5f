//! Logins that come to the account phase without a code.

use totpd_core::policy::{Deadline, Limits, Then};

use super::rules::{rule, with_rules};
use super::*;

const FAR: u64 = 4_000_000_000;
const NULLOK: &str = "nullok";

/// Returns the reply to `Guard` as one text: the word and the first line of the message.
fn guard(login: &LocalLogin, caller: Caller, name: &str, entries: &[&str]) -> String {
    let mut all = vec![("service", "sshd".into()), ("rhost", "192.0.2.1".into())];
    all.extend(entries.iter().map(|key| (*key, true.into())));
    let reply = run(login.guard(caller, name, &context(caller, &all))).unwrap();
    let message = reply.message.as_deref().and_then(|text| text.lines().next());
    format!("{} {}", reply.word(), message.unwrap_or_default())
}

#[test]
fn without_a_rule_a_login_without_a_code_is_refused() {
    let login = local_login();
    let no_factor = "denied You need a second factor here. Ask your administrator.";
    let needs_code = "denied This login needs a second factor, and asked for none.";
    assert_eq!(guard(&login, ROOT, OTHER_NAME, &[]), no_factor);
    assert_eq!(guard(&login, ROOT, OTHER_NAME, &[NULLOK]), "skipped ");
    assert_eq!(guard(&login, ROOT, "no-such-user", &[NULLOK]), needs_code);
    put(&login.0, OTHER_NAME, enrolled(1));
    assert_eq!(guard(&login, ROOT, OTHER_NAME, &[]), needs_code);
    assert_eq!(guard(&login, ROOT, OTHER_NAME, &[NULLOK]), needs_code);
}

#[test]
fn nobody_but_root_may_ask_about_anybody() {
    let login = with_rules(vec![rule(Then::Skip)]);
    for name in [OTHER_NAME, "root", "no-such-user"] {
        let answer = run(login.guard(OTHER, name, &context(OTHER, &[])));
        assert!(matches!(answer, Err(Error::NotAuthorized(_))), "{name}: {answer:?}");
    }
}

#[test]
fn a_rule_lets_by_or_refuses_what_it_would_under_auth() {
    let refused = "denied A rule refuses this login. Ask your administrator.";
    let no_factor = "denied You need a second factor here. Ask your administrator.";
    for (then, entries, expected) in [
        (Then::Skip, &[][..], "skipped "),
        (Then::Deny, &[], refused),
        (Then::Deny, &[NULLOK], refused),
        (Then::Require(Limits::NONE), &[], no_factor),
        (Then::Require(Limits::NONE), &[NULLOK], "skipped "),
        (Then::EnrollBy(Deadline(1)), &[], no_factor),
        (Then::EnrollBy(Deadline(1)), &[NULLOK], no_factor),
    ] {
        let login = with_rules(vec![rule(then)]);
        assert_eq!(guard(&login, ROOT, OTHER_NAME, entries), expected, "{then:?}");
    }
    let open = with_rules(vec![rule(Then::EnrollBy(Deadline(FAR)))]);
    let told = guard(&open, ROOT, OTHER_NAME, &[]);
    assert!(told.starts_with("skipped Enroll a second factor: "), "{told}");
    put(&open.0, OTHER_NAME, enrolled(1));
    assert!(guard(&open, ROOT, OTHER_NAME, &[]).starts_with("denied This login needs"));
}

/// The guard lets in exactly what `Begin` lets in without a code.
#[test]
fn the_guard_agrees_with_begin() {
    let thens = [
        None,
        Some(Then::Skip),
        Some(Then::Deny),
        Some(Then::Require(Limits::NONE)),
        Some(Then::EnrollBy(Deadline(1))),
        Some(Then::EnrollBy(Deadline(FAR))),
    ];
    for then in thens {
        for has_factor in [false, true] {
            let login = with_rules(then.map(rule).into_iter().collect());
            if has_factor {
                put(&login.0, OTHER_NAME, enrolled(1));
            }
            for name in [OTHER_NAME, "root", "no-such-user"] {
                for nullok in [false, true] {
                    let entries = [("service", "sshd".into()), (NULLOK, nullok.into())];
                    let begun = begin(&login, ROOT, name, &entries);
                    let guarded = run(login.guard(ROOT, name, &context(ROOT, &entries))).unwrap();
                    let case = format!("{then:?} {has_factor} {name} {nullok}: {begun}");
                    assert_eq!(guarded.is_let_by, begun.starts_with("skip"), "{case}");
                }
            }
        }
    }
}
