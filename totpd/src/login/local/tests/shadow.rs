//! Logins that another module decides.

use totpd_core::policy::Then;
use totpd_core::shadow::Cause;
use totpd_interface::login::Nonce;

use super::rules::{rule, with_rules};
use super::*;

fn nonce() -> Option<Nonce> {
    Some(Nonce::new([7; 16]))
}

fn in_shadow(nonce: Option<Nonce>) -> LoginContext {
    LoginContext { service: Some("sshd".into()), nonce, ..LoginContext::default() }
}

fn note(login: &LocalLogin, name: &str, code: &str) {
    run(login.shadow(ROOT, name, code, &in_shadow(nonce()))).unwrap();
}

fn let_in(login: &LocalLogin, name: &str) {
    run(login.shadow_let_in(ROOT, name, &in_shadow(nonce()))).unwrap();
}

fn right_code() -> String {
    let step = time_step(clock::now(), 30);
    format!("{:06}", code_of(&enrolled(1).factors[0], step).value())
}

#[test]
fn a_verdict_is_noted_and_told_to_nobody() {
    let login = local_login();
    put(&login.0, OTHER_NAME, enrolled(1));
    note(&login, OTHER_NAME, &right_code());
    let_in(&login, OTHER_NAME);
    let record = stored(&login.0, OTHER_NAME).unwrap();
    assert_eq!((record.shadow.agreed, record.shadow.differences()), (1, 0));
    assert_eq!(verify(&login, ROOT, &right_code(), false), "denied", "it is used up");
    for _ in 0..20 {
        note(&login, OTHER_NAME, "000000");
    }
    let record = stored(&login.0, OTHER_NAME).unwrap();
    assert_eq!(record.throttle.unknown_sources().failures(), 0);
}

#[test]
fn a_user_without_a_factor_is_noted_and_a_name_of_nobody_is_in_a_bucket() {
    let login = local_login();
    for name in [OTHER_NAME, "no-such-user"] {
        note(&login, name, "000000");
        let_in(&login, name);
    }
    let record = stored(&login.0, OTHER_NAME).unwrap();
    let refused_by = record.shadow.last_let_in.unwrap().refused_by;
    assert_eq!(refused_by, Some(Cause::NoFactor));
    assert!(stored(&login.0, "no-such-user").is_none());
}

#[test]
fn a_rule_counts_as_at_a_login() {
    for (then, expected) in [(Then::Skip, None), (Then::Deny, Some(Cause::NotAllowed))] {
        let login = with_rules(vec![rule(then)]);
        put(&login.0, OTHER_NAME, enrolled(1));
        note(&login, OTHER_NAME, &right_code());
        let_in(&login, OTHER_NAME);
        let record = stored(&login.0, OTHER_NAME).unwrap();
        assert_eq!(record.shadow.last_let_in.unwrap().refused_by, expected, "{expected:?}");
    }
}

#[test]
fn only_root_notes_and_only_with_a_nonce() {
    let login = local_login();
    let context = in_shadow(nonce());
    for name in [OTHER_NAME, "root", "no-such-user"] {
        let noted = run(login.shadow(OTHER, name, "000000", &context));
        assert!(matches!(noted, Err(Error::NotAuthorized(_))), "{name}");
        let noted = run(login.shadow_let_in(OTHER, name, &context));
        assert!(matches!(noted, Err(Error::NotAuthorized(_))), "{name}");
    }
    let noted = run(login.shadow(ROOT, OTHER_NAME, "000000", &in_shadow(None)));
    assert!(matches!(noted, Err(Error::InvalidArgument(_))));
}
