use zbus::{OwnedVariant, Variant};

use super::*;
use crate::daemon::tests::daemon;
use crate::factor::Kind;
use crate::factor::tests::{code_of, verified};
use crate::otp::time_step;
use crate::store::conformance::{enrolled, run, user};

const ROOT: Caller = Caller { uid: 0 };
/// A user that every host has.
const OTHER: Caller = Caller { uid: 1 };
const OTHER_NAME: &str = "daemon";

fn login() -> Login {
    Login(Arc::new(daemon().0))
}

fn context(entries: &[(&str, Variant<'_>)]) -> Dictionary {
    let owned = |(key, value): &(&str, Variant<'_>)| {
        ((*key).to_owned(), OwnedVariant::try_from(value.try_clone().unwrap()).unwrap())
    };
    entries.iter().map(owned).collect()
}

fn stores(login: &Login, name: &str, record: Record) {
    run(login.0.store.update(user(name), move |_| ((), Some(record.clone())))).unwrap();
}

fn begun(login: &Login, caller: Caller, name: &str, entries: &[(&str, Variant<'_>)]) -> String {
    let (action, details) = run(login.begin_for(caller, name, &context(entries))).unwrap();
    match details.get("prompt").map(|text| text.downcast_ref::<&str>().unwrap()) {
        Some(text) => format!("{action}: {text}"),
        None => action,
    }
}

fn judged(login: &Login, caller: Caller, name: &str, code: &str, enroll: bool) -> String {
    let context = context(&[("enroll", enroll.into())]);
    let (verdict, details) = run(login.verify_for(caller, name, code, &context)).unwrap();
    match details.get("message").map(|text| text.downcast_ref::<&str>().unwrap()) {
        Some(text) => format!("{verdict}: {text}"),
        None => verdict,
    }
}

#[test]
fn nullok_skips_only_who_has_no_factor_at_all() {
    let mut pending = enrolled(1000);
    pending.factors[0].status = crate::factor::Status::Unverified { expires: 9, wrong_codes: 0 };
    assert!(may_skip(None, 1000));
    assert!(may_skip(Some(&Record::new(7)), 1000));
    assert!(may_skip(Some(&pending), 1000));
    assert!(!may_skip(Some(&pending), 1001));
    assert!(!may_skip(Some(&enrolled(1000)), 1000));
    assert!(!may_skip(Some(&enrolled(1000)), 1001), "a recreated account is no way around");
}

#[test]
fn a_login_begins_with_a_prompt_unless_nullok_lets_it_by() {
    let login = login();
    let nullok = [("nullok", true.into())];
    let prompt = "prompt: Verification code: ";
    assert_eq!(begun(&login, ROOT, OTHER_NAME, &[]), prompt);
    assert_eq!(begun(&login, ROOT, OTHER_NAME, &nullok), "skip");
    assert_eq!(begun(&login, OTHER, OTHER_NAME, &nullok), "skip");
    assert_eq!(begun(&login, ROOT, "no-such-user", &nullok), prompt, "whom nobody has is asked");
    stores(&login, OTHER_NAME, enrolled(1));
    assert_eq!(begun(&login, ROOT, OTHER_NAME, &nullok), prompt);
    assert_eq!(begun(&login, OTHER, OTHER_NAME, &nullok), prompt);
    let own = [("prompt", "Token: ".into())];
    assert_eq!(begun(&login, OTHER, OTHER_NAME, &own), "prompt: Token: ");
}

#[test]
fn factors_are_named_to_root_alone_where_it_asks_and_the_account_is_the_same() {
    let login = login();
    let names = [("names", true.into())];
    for (uid, caller, entries, told) in [
        (1, ROOT, &names[..], "prompt: Verification code (Pixel, Token): "),
        (1, ROOT, &[], "prompt: Verification code: "),
        (1, OTHER, &names, "prompt: Verification code: "),
        (4711, ROOT, &names, "prompt: Verification code: "),
    ] {
        let mut record = enrolled(uid);
        record.factors.push(verified(Kind::Totp { period: 30 }, None));
        record.factors[0].name = "Pixel".into();
        record.factors[1].name = "Token".into();
        stores(&login, OTHER_NAME, record);
        assert_eq!(begun(&login, caller, OTHER_NAME, entries), told, "{uid} {caller:?}");
    }
}

#[test]
fn nobody_but_root_asks_for_another() {
    let login = login();
    for name in ["root", "no-such-user", "bin"] {
        let begun = run(login.begin_for(OTHER, name, &context(&[])));
        assert!(matches!(begun, Err(Error::NotAuthorized(_))), "{name}");
        let judged = run(login.verify_for(OTHER, name, "000000", &context(&[])));
        assert!(matches!(judged, Err(Error::NotAuthorized(_))), "{name}");
    }
    assert_eq!(judged(&login, OTHER, OTHER_NAME, "000000", false), "denied");
}

#[test]
fn what_an_ordinary_caller_says_of_where_it_comes_from_is_not_believed() {
    let said = context(&[
        ("rhost", "192.0.2.1".into()),
        ("service", "sshd".into()),
        ("tty", "pts/1".into()),
        ("ruser", "root".into()),
        ("enroll", true.into()),
        ("names", true.into()),
        ("factor", "f-aaaaaaaa".into()),
        ("prompt", "Token: ".into()),
        ("nullok", true.into()),
    ]);
    let of_root = believed(&said, ROOT).unwrap();
    assert_eq!(of_root.rhost.as_deref(), Some("192.0.2.1"));
    assert!(of_root.enroll && of_root.names && of_root.nullok);
    let of_other = believed(&said, OTHER).unwrap();
    let expected = Context {
        factor: Some("f-aaaaaaaa".into()),
        prompt: Some("Token: ".into()),
        nullok: true,
        ..Context::default()
    };
    assert_eq!(format!("{of_other:?}"), format!("{expected:?}"));
}

#[test]
fn a_code_is_good_once_and_wrong_ones_are_told_to_wait() {
    let login = login();
    stores(&login, OTHER_NAME, enrolled(1));
    let step = time_step(clock::now(), 30);
    let right = format!("{:06}", code_of(&enrolled(1).factors[0], step).value());
    assert_eq!(judged(&login, OTHER, OTHER_NAME, &right, false), "approved");
    assert_eq!(judged(&login, ROOT, OTHER_NAME, &right, false), "denied", "used");
    let throttled = "throttled: Too many wrong codes. Try again in ";
    let answers: Vec<_> =
        (0..20).map(|_| judged(&login, ROOT, OTHER_NAME, "000000", false)).collect();
    assert!(answers.iter().any(|answer| answer.starts_with(throttled)), "{answers:?}");
    assert!(begun(&login, ROOT, OTHER_NAME, &[]).starts_with("prompt: Verification code (wait "));
}

#[test]
fn where_a_key_cannot_be_shown_who_has_no_factor_is_told_where_to_make_one() {
    let login = login();
    let told = format!("denied: {}", first_login::ELSEWHERE);
    assert_eq!(judged(&login, ROOT, OTHER_NAME, "000000", true), told);
    assert_eq!(judged(&login, ROOT, OTHER_NAME, "000000", false), "denied");
    stores(&login, OTHER_NAME, enrolled(1));
    assert_eq!(judged(&login, ROOT, OTHER_NAME, "000000", true), "denied");
}

#[test]
fn a_first_login_shows_a_key_where_it_can_be_seen_and_takes_its_code() {
    let login = login();
    let at_ssh = [("enroll", true.into()), ("tty", "ssh".into())];
    let on_a_screen = [("enroll", true.into()), ("tty", ":0".into())];
    assert_eq!(begun(&login, ROOT, OTHER_NAME, &on_a_screen), "prompt: Verification code: ");
    assert_eq!(begun(&login, ROOT, "no-such-user", &at_ssh), "prompt: Verification code: ");
    assert!(begun(&login, ROOT, OTHER_NAME, &at_ssh).starts_with("enroll: "));
    // Not even the one who is asked about learns it by asking itself.
    assert_eq!(begun(&login, OTHER, OTHER_NAME, &at_ssh), "prompt: Verification code: ");

    let factor = run(login.0.record_under(OTHER_NAME)).unwrap().factors.remove(0);
    assert!(!factor.is_verified());
    let judge = |factor: &str, code: &str| {
        let entries = context(&[("enroll", true.into()), ("factor", factor.into())]);
        let (verdict, details) = run(login.verify_for(ROOT, OTHER_NAME, code, &entries)).unwrap();
        let text = |key: &str| {
            details.get(key).map(|text| text.downcast_ref::<&str>().unwrap().to_owned())
        };
        (verdict, text("message"), text("keep"), text("method"))
    };
    let denied = |message: Option<&str>| {
        ("denied".to_owned(), message.map(ToOwned::to_owned), None::<String>, None::<String>)
    };
    assert_eq!(judge(factor.id.as_str(), "what?"), denied(None));
    assert_eq!(judge("f-aaaaaaaa", "000000"), denied(None));
    let (verdict, message, ..) = judge(factor.id.as_str(), "000000");
    assert!(verdict == "denied" && message.unwrap().starts_with("Wrong code. "));
    let step = time_step(clock::now(), 30);
    let right = format!("{:06}", code_of(&factor, step).value());
    let (verdict, message, keep, method) = judge(factor.id.as_str(), &right);
    assert_eq!((verdict.as_str(), message, method.as_deref()), ("approved", None, Some("totp")));
    let keep = keep.unwrap();
    assert!(keep.starts_with("Keep these on paper.") && keep.lines().count() == 9, "{keep}");
    assert!(keep.lines().all(|line| line.len() < 60), "{keep}");
    assert!(run(login.0.record_under(OTHER_NAME)).unwrap().factors[0].is_verified());
    assert_eq!(judge(factor.id.as_str(), &right), denied(None), "it waits no more");
    assert_eq!(begun(&login, ROOT, OTHER_NAME, &at_ssh), "prompt: Verification code: ");
}
