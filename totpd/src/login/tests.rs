use std::time::Duration;

use totpd_core::factor::{Factor, Kind};
use totpd_core::fixtures::{code_of, verified};
use totpd_core::fixtures::{enrolled, user};
use totpd_core::otp::time_step;
use totpd_core::record::Record;
use totpd_core::record_key::RecordKey;
use totpd_interface::variants::write;
use totpd_store::conformance::run;
use totpd_store::memory::Memory;
use totpd_store::{Backend, Change, Listed, Pending, Store, StoreError};
use zbus::{OwnedVariant, Variant};

use super::*;
use crate::daemon::tests::daemon;

const ROOT: Caller = Caller { uid: 0 };
/// A user that every host has.
const OTHER: Caller = Caller { uid: 1 };
const OTHER_NAME: &str = "daemon";
const NONCE: &str = "000102030405060708090a0b0c0d0e0f";

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
    let reply = run(login.begin_for(caller, name, &context(entries))).unwrap();
    let word = reply.word();
    match reply {
        BeginReply::Prompt { text, .. } | BeginReply::Enroll { text, .. } => {
            format!("{word}: {text}")
        }
        BeginReply::Skip => word.to_owned(),
    }
}

/// What goes over the bus.
fn verify(
    login: &Login,
    caller: Caller,
    name: &str,
    code: &str,
    context: &Dictionary,
) -> (String, Dictionary) {
    let reply = run(login.verify_for(caller, name, code, context)).unwrap();
    (reply.word().to_owned(), write(reply.details()))
}

fn judged(login: &Login, caller: Caller, name: &str, code: &str, enroll: bool) -> String {
    let context = context(&[("enroll", enroll.into())]);
    let (verdict, details) = verify(login, caller, name, code, &context);
    match details.get("message").map(|text| text.downcast_ref::<&str>().unwrap()) {
        Some(text) => format!("{verdict}: {text}"),
        None => verdict,
    }
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
    let names = [("show_names", true.into())];
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
        ("show_names", true.into()),
        ("factor", "f-aaaaaaaa".into()),
        ("prompt", "Token: ".into()),
        ("nullok", true.into()),
    ]);
    let of_root = trusted_context(&said, ROOT).unwrap();
    assert_eq!(of_root.rhost.as_deref(), Some("192.0.2.1"));
    assert!(of_root.enroll && of_root.show_names && of_root.nullok);
    let of_other = trusted_context(&said, OTHER).unwrap();
    let expected = LoginContext {
        factor: Some("f-aaaaaaaa".into()),
        prompt: Some("Token: ".into()),
        nullok: true,
        ..LoginContext::default()
    };
    assert_eq!(of_other, expected);
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
    let told = format!("denied: {}", first_login::ENROLL_ELSEWHERE);
    assert_eq!(judged(&login, ROOT, OTHER_NAME, "000000", true), told);
    assert_eq!(judged(&login, ROOT, OTHER_NAME, "000000", false), "denied");
    stores(&login, OTHER_NAME, enrolled(1));
    assert_eq!(judged(&login, ROOT, OTHER_NAME, "000000", true), "denied");
}

/// A store in which the record of [`OTHER_NAME`] is damaged.
struct Damaged(Arc<Memory>);

impl Damaged {
    fn is(subject: &RecordKey) -> bool {
        *subject == user(OTHER_NAME)
    }

    fn told<T: Send + 'static>() -> Pending<T> {
        Box::pin(std::future::ready(Err(StoreError::Corrupt(OTHER_NAME.into()))))
    }
}

impl Backend for Damaged {
    fn read(&self, subject: RecordKey) -> Pending<Option<Record>> {
        if Self::is(&subject) { Self::told() } else { self.0.read(subject) }
    }

    fn update(&self, subject: RecordKey, change: Change) -> Pending<()> {
        if Self::is(&subject) { Self::told() } else { self.0.update(subject, change) }
    }

    fn discard(&self, subject: RecordKey) -> Pending<()> {
        self.0.discard(subject)
    }

    fn list(&self, after: String, limit: u32) -> Pending<Vec<Listed>> {
        self.0.list(after, limit)
    }
}

#[test]
fn a_damaged_record_is_asked_refused_and_throttled_as_any_other() {
    let (mut daemon, memory) = daemon();
    daemon.store = Store::new(Arc::new(Damaged(memory)), Duration::from_secs(4));
    let login = Login(Arc::new(daemon));
    let at_ssh = [
        ("nullok", true.into()),
        ("enroll", true.into()),
        ("show_names", true.into()),
        ("tty", "ssh".into()),
        ("nonce", NONCE.into()),
    ];
    let prompt = "prompt: Verification code: ";
    for caller in [ROOT, OTHER] {
        assert_eq!(begun(&login, caller, OTHER_NAME, &at_ssh), prompt);
    }
    assert_eq!(judged(&login, ROOT, OTHER_NAME, "what?", false), "denied");
    for (code, enroll) in [("000000", true), ("0000-0000-0000-0000", false), ("000000", false)] {
        assert_eq!(judged(&login, ROOT, OTHER_NAME, code, enroll), "denied", "{code}");
    }
    let throttled = judged(&login, ROOT, OTHER_NAME, "0000-0000-0000-0000", false);
    assert!(throttled.starts_with("throttled: "), "{throttled}");
    let waits = begun(&login, ROOT, OTHER_NAME, &at_ssh);
    assert!(waits.starts_with("prompt: Verification code (wait "), "{waits}");
    assert_eq!(judged(&login, OTHER, OTHER_NAME, "000000", false), throttled, "also to its owner");
    // A first code of a factor that was in it.
    let first = context(&[
        ("enroll", true.into()),
        ("nonce", NONCE.into()),
        ("factor", "f-aaaaaaaa".into()),
    ]);
    let (verdict, details) = verify(&login, ROOT, OTHER_NAME, "000000", &first);
    assert_eq!((verdict.as_str(), details.len()), ("denied", 0));
}

/// The only factor in the record of [`OTHER_NAME`].
fn stored_factor(login: &Login) -> Factor {
    run(login.0.store.read(user(OTHER_NAME))).unwrap().unwrap().factors.remove(0)
}

#[test]
fn a_first_login_shows_a_key_where_it_can_be_seen() {
    let login = login();
    let at =
        |tty: &'static str| [("enroll", true.into()), ("tty", tty.into()), ("nonce", NONCE.into())];
    let prompt = "prompt: Verification code: ";
    assert_eq!(begun(&login, ROOT, OTHER_NAME, &at(":0")), prompt);
    assert_eq!(begun(&login, ROOT, "no-such-user", &at("ssh")), prompt);
    assert_eq!(begun(&login, ROOT, OTHER_NAME, &at("ssh")[..2]), prompt, "without a nonce");
    // Not even the one who is asked about learns it by asking itself.
    assert_eq!(begun(&login, OTHER, OTHER_NAME, &at("ssh")), prompt);
    assert!(begun(&login, ROOT, OTHER_NAME, &at("ssh")).starts_with("enroll: "));
    let shown = stored_factor(&login);
    assert!(shown.is_pending());
    assert!(begun(&login, ROOT, OTHER_NAME, &at("ssh")).starts_with("enroll: "));
    assert_eq!(stored_factor(&login).id, shown.id, "the same authentication asks again");
}

#[test]
fn a_first_code_is_answered_with_a_token_that_makes_the_factor_good_once() {
    let login = login();
    let at_ssh = [
        ("enroll", true.into()),
        ("tty", "ssh".into()),
        ("service", "sshd".into()),
        ("nonce", NONCE.into()),
    ];
    begun(&login, ROOT, OTHER_NAME, &at_ssh);
    let factor = stored_factor(&login);
    let text = |details: &Dictionary, key: &str| {
        details.get(key).map(|text| text.downcast_ref::<&str>().unwrap().to_owned())
    };
    let judge = |nonce: &str, factor: &str, code: &str| {
        let mut entries =
            at_ssh.iter().map(|(k, v)| (*k, v.try_clone().unwrap())).collect::<Vec<_>>();
        entries.truncate(3);
        entries.extend([("nonce", nonce.into()), ("factor", factor.into())]);
        verify(&login, ROOT, OTHER_NAME, code, &context(&entries))
    };
    let right = format!("{:06}", code_of(&factor, time_step(clock::now(), 30)).value());
    let id = factor.id.as_str();
    for (nonce, factor, code) in [
        (NONCE, id, "what?"),
        (NONCE, "f-aaaaaaaa", "000000"),
        (NONCE, "no id", "000000"),
        ("ffffffffffffffffffffffffffffffff", id, &right),
    ] {
        let (verdict, details) = judge(nonce, factor, code);
        assert_eq!((verdict.as_str(), details.len()), ("denied", 0), "{nonce} {factor} {code}");
    }
    let (verdict, details) = judge(NONCE, id, "000000");
    assert_eq!(verdict, "denied");
    assert!(text(&details, "message").unwrap().starts_with("Wrong code. "));
    let (verdict, details) = judge(NONCE, id, &right);
    assert_eq!((verdict.as_str(), text(&details, "method").as_deref()), ("approved", Some("totp")));
    assert!(stored_factor(&login).is_pending(), "whoever typed it may not get in");
    let token = text(&details, "token").unwrap();

    let end_of = |caller, token: &str, service: &str, user: &str, ruser: &str| {
        let entries = context(&[
            ("service", service.into()),
            ("tty", "ssh".into()),
            ("user", user.into()),
            ("ruser", ruser.into()),
        ]);
        run(login.complete_enrollment_for(caller, token, &entries))
            .map(|reply| (reply.word(), write(reply.details())))
    };
    let end = |caller, token: &str, service: &str| end_of(caller, token, service, OTHER_NAME, "");
    assert!(matches!(end(OTHER, &token, "sshd"), Err(Error::NotAuthorized(_))));
    assert!(matches!(end(ROOT, "nonsense", "sshd"), Err(Error::InvalidArgument(_))));
    let other = token.replacen(|c: char| c != 'f', "f", 1);
    for (token, service) in [(&token, "sudo"), (&other, "sshd")] {
        let (verdict, details) = end(ROOT, token, service).unwrap();
        assert_eq!(verdict, "denied", "{token} {service}");
        assert!(text(&details, "message").unwrap().contains("was not set up"));
        assert!(stored_factor(&login).is_pending());
    }
    // Another user's login that ends in the same handle of libpam.
    for (user, ruser) in [("root", ""), ("", ""), ("bin", "root"), ("no-such-user", "root")] {
        assert_eq!(
            end_of(ROOT, &token, "sshd", user, ruser).unwrap().0,
            "denied",
            "{user} {ruser}"
        );
        assert!(stored_factor(&login).is_pending());
    }
    // As sudo ends one: for root, by who asks.
    let (verdict, details) = end_of(ROOT, &token, "sshd", "root", OTHER_NAME).unwrap();
    assert_eq!(verdict, "approved");
    assert!(stored_factor(&login).is_verified());
    let codes = text(&details, "message").unwrap();
    assert!(codes.starts_with("Keep these on paper.") && codes.lines().count() == 7, "{codes}");
    assert!(codes.lines().all(|line| line.len() < 60), "{codes}");
    assert_eq!(end(ROOT, &token, "sshd").unwrap().0, "denied", "once");
    assert_eq!(judge(NONCE, id, &right).0, "denied", "it waits no more");
    assert_eq!(begun(&login, ROOT, OTHER_NAME, &at_ssh), "prompt: Verification code: ");
}
