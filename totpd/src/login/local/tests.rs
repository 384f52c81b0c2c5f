use totpd_core::factor::{Factor, Kind};
use totpd_core::fixtures::{code_of, enrolled, user, verified};
use totpd_core::otp::time_step;
use totpd_core::record::{Outline, Record};
use totpd_core::record_key::RecordKey;
use totpd_interface::Dictionary;
use totpd_interface::variants::write;
use totpd_store::conformance::run;
use totpd_store::memory::Memory;
use totpd_store::{Backend, Change, Listed, Pending, StoreError};
use zbus::{OwnedVariant, Variant};

use super::*;
use crate::access::login_context::trusted_context;
use crate::daemon::tests::{daemon, daemon_over, put, stored};

mod guard;
mod rules;
mod trust;

const ROOT: Caller = Caller { uid: 0 };
/// A user that every host has.
const OTHER: Caller = Caller { uid: 1 };
const OTHER_NAME: &str = "daemon";
const NONCE: &str = "000102030405060708090a0b0c0d0e0f";

fn local_login() -> LocalLogin {
    LocalLogin(Arc::new(daemon().0))
}

fn dictionary(entries: &[(&str, Variant<'_>)]) -> Dictionary {
    let owned = |(key, value): &(&str, Variant<'_>)| {
        ((*key).to_owned(), OwnedVariant::try_from(value.try_clone().unwrap()).unwrap())
    };
    entries.iter().map(owned).collect()
}

/// Returns the trusted context of `caller`.
fn context(caller: Caller, entries: &[(&str, Variant<'_>)]) -> LoginContext {
    trusted_context(&dictionary(entries), caller).unwrap()
}

/// Returns the reply to `Begin` as one text.
fn begin(
    login: &LocalLogin,
    caller: Caller,
    name: &str,
    entries: &[(&str, Variant<'_>)],
) -> String {
    let reply = run(login.begin(caller, name, &context(caller, entries))).unwrap();
    let word = reply.word();
    match reply {
        BeginReply::Prompt { text, .. } | BeginReply::Enroll { text, .. } => {
            format!("{word}: {text}")
        }
        BeginReply::Skip { message } => match message {
            Some(message) => format!("{word}: {message}"),
            None => word.to_owned(),
        },
    }
}

/// Returns the reply to `Verify` as it goes over the bus.
fn verify_with(
    login: &LocalLogin,
    caller: Caller,
    code: &str,
    entries: &[(&str, Variant<'_>)],
) -> (String, Dictionary) {
    let context = context(caller, entries);
    let reply = run(login.verify(caller, OTHER_NAME, code, &context)).unwrap();
    (reply.word().to_owned(), write(reply.details()))
}

/// Returns the reply to `Verify` as one text.
fn verify(login: &LocalLogin, caller: Caller, code: &str, enroll: bool) -> String {
    let (verdict, details) = verify_with(login, caller, code, &[("enroll", enroll.into())]);
    match details.get("message").map(|text| text.downcast_ref::<&str>().unwrap()) {
        Some(text) => format!("{verdict}: {text}"),
        None => verdict,
    }
}

#[test]
fn nullok_skips_only_a_user_without_a_factor() {
    let login = local_login();
    let nullok = [("nullok", true.into())];
    let prompt = "prompt: Verification code: ";
    assert_eq!(begin(&login, ROOT, OTHER_NAME, &[]), prompt);
    assert_eq!(begin(&login, ROOT, OTHER_NAME, &nullok), "skip");
    assert_eq!(begin(&login, OTHER, OTHER_NAME, &nullok), "skip");
    assert_eq!(begin(&login, ROOT, "no-such-user", &nullok), prompt, "an unknown name is asked");
    put(&login.0, OTHER_NAME, enrolled(1));
    assert_eq!(begin(&login, ROOT, OTHER_NAME, &nullok), prompt);
    assert_eq!(begin(&login, OTHER, OTHER_NAME, &nullok), prompt);
    let own = [("prompt", "Token: ".into())];
    assert_eq!(begin(&login, OTHER, OTHER_NAME, &own), "prompt: Token: ");
}

#[test]
fn only_root_is_told_the_names_of_factors_of_the_same_account() {
    let login = local_login();
    let names = [("show_names", true.into())];
    for (uid, caller, entries, expected) in [
        (1, ROOT, &names[..], "prompt: Verification code (Pixel, Token): "),
        (1, ROOT, &[], "prompt: Verification code: "),
        (1, OTHER, &names, "prompt: Verification code: "),
        (4711, ROOT, &names, "prompt: Verification code: "),
    ] {
        let mut record = enrolled(uid);
        record.factors.push(verified(Kind::Totp { period: 30 }, None));
        record.factors[0].name = "Pixel".into();
        record.factors[1].name = "Token".into();
        put(&login.0, OTHER_NAME, record);
        assert_eq!(begin(&login, caller, OTHER_NAME, entries), expected, "{uid} {caller:?}");
    }
}

#[test]
fn nobody_but_root_asks_for_another_user() {
    let login = local_login();
    for name in ["root", "no-such-user", "bin"] {
        let context = LoginContext::default();
        let begun = run(login.begin(OTHER, name, &context));
        assert!(matches!(begun, Err(Error::NotAuthorized(_))), "{name}");
        let verified = run(login.verify(OTHER, name, "000000", &context));
        assert!(matches!(verified, Err(Error::NotAuthorized(_))), "{name}");
    }
    assert_eq!(verify(&login, OTHER, "000000", false), "denied");
}

#[test]
fn a_code_is_approved_once_and_wrong_ones_have_to_wait() {
    let login = local_login();
    put(&login.0, OTHER_NAME, enrolled(1));
    let step = time_step(clock::now(), 30);
    let right = format!("{:06}", code_of(&enrolled(1).factors[0], step).value());
    assert_eq!(verify(&login, OTHER, &right, false), "approved");
    assert_eq!(verify(&login, ROOT, &right, false), "denied", "used");
    let throttled = "throttled: Too many wrong codes. Try again in ";
    let answers: Vec<_> = (0..20).map(|_| verify(&login, ROOT, "000000", false)).collect();
    assert!(answers.iter().any(|answer| answer.starts_with(throttled)), "{answers:?}");
    assert!(begin(&login, ROOT, OTHER_NAME, &[]).starts_with("prompt: Verification code (wait "));
}

#[test]
fn without_a_terminal_the_message_says_where_to_enroll() {
    let login = local_login();
    let message = format!("denied: {}", ENROLL_ELSEWHERE);
    assert_eq!(verify(&login, ROOT, "000000", true), message);
    assert_eq!(verify(&login, ROOT, "000000", false), "denied");
    put(&login.0, OTHER_NAME, enrolled(1));
    assert_eq!(verify(&login, ROOT, "000000", true), "denied");
}

/// A store in which the record of [`OTHER_NAME`] is damaged.
struct Damaged(Arc<Memory>);

impl Damaged {
    fn is(subject: &RecordKey) -> bool {
        *subject == user(OTHER_NAME)
    }

    fn corrupt<T: Send + 'static>() -> Pending<T> {
        Box::pin(std::future::ready(Err(StoreError::Corrupt(OTHER_NAME.into()))))
    }
}

impl Backend for Damaged {
    fn read(&self, subject: RecordKey) -> Pending<Option<Record>> {
        if Self::is(&subject) { Self::corrupt() } else { self.0.read(subject) }
    }

    fn read_outline(&self, subject: RecordKey) -> Pending<Option<Outline>> {
        if Self::is(&subject) { Self::corrupt() } else { self.0.read_outline(subject) }
    }

    fn update(&self, subject: RecordKey, change: Change) -> Pending<()> {
        if Self::is(&subject) { Self::corrupt() } else { self.0.update(subject, change) }
    }

    fn void_windows(&self) -> Arc<totpd_core::void_windows::VoidWindows> {
        self.0.void_windows()
    }

    fn note_prompt(&self, now: u64) {
        self.0.note_prompt(now);
    }

    fn discard(&self, subject: RecordKey) -> Pending<()> {
        self.0.discard(subject)
    }

    fn list(&self, after: String, limit: u32) -> Pending<Vec<Listed>> {
        self.0.list(after, limit)
    }
}

#[test]
fn a_damaged_record_is_asked_refused_and_throttled_alike() {
    let daemon = daemon_over(Arc::new(Damaged(Arc::new(Memory::default()))));
    let login = LocalLogin(Arc::new(daemon));
    let at_ssh = [
        ("nullok", true.into()),
        ("enroll", true.into()),
        ("show_names", true.into()),
        ("tty", "ssh".into()),
        ("nonce", NONCE.into()),
    ];
    let prompt = "prompt: Verification code: ";
    for caller in [ROOT, OTHER] {
        assert_eq!(begin(&login, caller, OTHER_NAME, &at_ssh), prompt);
    }
    assert_eq!(verify(&login, ROOT, "what?", false), "denied");
    for (code, enroll) in [("000000", true), ("0000-0000-0000-0000", false), ("000000", false)] {
        assert_eq!(verify(&login, ROOT, code, enroll), "denied", "{code}");
    }
    let throttled = verify(&login, ROOT, "0000-0000-0000-0000", false);
    assert!(throttled.starts_with("throttled: "), "{throttled}");
    let waits = begin(&login, ROOT, OTHER_NAME, &at_ssh);
    assert!(waits.starts_with("prompt: Verification code (wait "), "{waits}");
    assert_eq!(verify(&login, OTHER, "000000", false), throttled, "also to its owner");
    // The code is a first code of a factor that was in the damaged record.
    let first = [("enroll", true.into()), ("nonce", NONCE.into()), ("factor", "f-aaaaaaaa".into())];
    let (verdict, details) = verify_with(&login, ROOT, "000000", &first);
    assert_eq!((verdict.as_str(), details.len()), ("denied", 0));
}

/// The only factor in the record of [`OTHER_NAME`].
fn stored_factor(login: &LocalLogin) -> Factor {
    stored(&login.0, OTHER_NAME).unwrap().factors.remove(0)
}

#[test]
fn a_first_login_shows_a_key_only_at_a_terminal() {
    let login = local_login();
    let at =
        |tty: &'static str| [("enroll", true.into()), ("tty", tty.into()), ("nonce", NONCE.into())];
    let prompt = "prompt: Verification code: ";
    assert_eq!(begin(&login, ROOT, OTHER_NAME, &at(":0")), prompt);
    assert_eq!(begin(&login, ROOT, "no-such-user", &at("ssh")), prompt);
    assert_eq!(begin(&login, ROOT, OTHER_NAME, &at("ssh")[..2]), prompt, "without a nonce");
    // A user gets no key by a call of its own over the bus.
    assert_eq!(begin(&login, OTHER, OTHER_NAME, &at("ssh")), prompt);
    assert!(begin(&login, ROOT, OTHER_NAME, &at("ssh")).starts_with("enroll: "));
    let shown = stored_factor(&login);
    assert!(shown.is_pending());
    assert!(begin(&login, ROOT, OTHER_NAME, &at("ssh")).starts_with("enroll: "));
    assert_eq!(stored_factor(&login).id, shown.id, "the same authentication asks again");
}

#[test]
fn the_token_of_a_first_code_verifies_the_factor_once() {
    let login = local_login();
    let at_ssh = [
        ("enroll", true.into()),
        ("tty", "ssh".into()),
        ("service", "sshd".into()),
        ("nonce", NONCE.into()),
    ];
    begin(&login, ROOT, OTHER_NAME, &at_ssh);
    let factor = stored_factor(&login);
    let text = |details: &Dictionary, key: &str| {
        details.get(key).map(|text| text.downcast_ref::<&str>().unwrap().to_owned())
    };
    let judge = |nonce: &str, factor: &str, code: &str| {
        let mut entries =
            at_ssh.iter().map(|(k, v)| (*k, v.try_clone().unwrap())).collect::<Vec<_>>();
        entries.truncate(3);
        entries.extend([("nonce", nonce.into()), ("factor", factor.into())]);
        verify_with(&login, ROOT, code, &entries)
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
    assert!(stored_factor(&login).is_pending(), "the login may still fail");
    let token = text(&details, "token").unwrap();

    let end_of = |caller, token: &str, service: &str, user: &str, ruser: &str| {
        let entries = [
            ("service", service.into()),
            ("tty", "ssh".into()),
            ("user", user.into()),
            ("ruser", ruser.into()),
        ];
        run(login.complete_enrollment(caller, token, &context(ROOT, &entries)))
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
    // The login of another user ends in the same handle of libpam.
    for (user, ruser) in [("root", ""), ("", ""), ("bin", "root"), ("no-such-user", "root")] {
        assert_eq!(
            end_of(ROOT, &token, "sshd", user, ruser).unwrap().0,
            "denied",
            "{user} {ruser}"
        );
        assert!(stored_factor(&login).is_pending());
    }
    // sudo ends a login for root, and `ruser` names the user who asks.
    let (verdict, details) = end_of(ROOT, &token, "sshd", "root", OTHER_NAME).unwrap();
    assert_eq!(verdict, "approved");
    assert!(stored_factor(&login).is_verified());
    let codes = text(&details, "message").unwrap();
    assert!(codes.starts_with("Keep these on paper.") && codes.lines().count() == 7, "{codes}");
    assert!(codes.lines().all(|line| line.len() < 60), "{codes}");
    let (verdict, details) = end(ROOT, &token, "sshd").unwrap();
    assert_eq!(verdict, "denied", "once");
    let message = text(&details, "message");
    assert_eq!(message.as_deref(), Some("Your second factor is set up."), "it was this login");
    assert_eq!(judge(NONCE, id, &right).0, "denied", "it waits no more");
    assert_eq!(begin(&login, ROOT, OTHER_NAME, &at_ssh), "prompt: Verification code: ");
}
