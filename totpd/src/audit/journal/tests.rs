use totpd_core::account::Account;
use totpd_core::factor::FactorId;
use totpd_core::fixtures::user;
use totpd_core::record_key::RecordKey;
use totpd_core::verification::{Method, Reason as DenialReason, Verdict};

use totpd_core::source::Source;
use totpd_interface::login::LoginContext;

use super::*;
use crate::access::caller::Caller;
use crate::audit::event::{
    ChangeEvent, Factors, LoginEvent, LoginOutcome, LoginScene, Restoration, StoreEvent,
};
use crate::audit::reason::Reason;

const ROOT: Caller = Caller { uid: 0 };

/// Returns an account that NSS knows, or one of no such user.
fn account(is_known: bool) -> Account {
    Account { key: user("alice"), uid: is_known.then_some(1000), is_uncertain: false }
}

fn context(service: Option<&str>, rhost: Option<&str>) -> LoginContext {
    let owned = |text: Option<&str>| text.map(ToOwned::to_owned);
    LoginContext { service: owned(service), rhost: owned(rhost), ..LoginContext::default() }
}

/// Returns the fields of an event in the journal.
fn fields(entry: &Entry) -> Vec<String> {
    String::from_utf8(entry.native()).unwrap().lines().map(ToOwned::to_owned).collect()
}

/// Returns the fields of the result of an attempt at sshd.
fn attempt_fields(is_known: bool, verdict: &Verdict) -> Vec<String> {
    event_fields(is_known, |login| LoginEvent::from_verdict(login, verdict))
}

/// Returns the fields of an event at sshd.
fn event_fields(
    is_known: bool,
    event: impl for<'a> FnOnce(LoginScene<'a>) -> LoginEvent<'a>,
) -> Vec<String> {
    let (account, context) = (account(is_known), context(Some("ss\nhd"), None));
    let login =
        LoginScene { caller: ROOT, account: &account, context: &context, source: &Source::Nowhere };
    let event = event(login);
    fields(&login_entry(&event, user_of(&event).as_deref()))
}

fn assert_has(fields: &[String], field: &str) {
    assert!(fields.iter().any(|line| line == field), "{field}: {fields:?}");
}

#[test]
fn an_approval_names_the_factor_or_the_recovery_code() {
    let id = FactorId::from_random([1; 5]);
    let approved = |factor, method| Verdict::Approved {
        used: None,
        factor,
        method,
        recovery_codes_left: 9,
        unreported_use: None,
    };
    let by_factor = attempt_fields(true, &approved(Some(id.clone()), Method::Totp));
    for field in [
        "PRIORITY=6",
        "MESSAGE_ID=3c6f1a52d0f94a7f8e0f4f6a3d9a1b7e",
        "TOTP_USER=alice",
        r"TOTP_SERVICE=ss\u{a}hd",
        "TOTP_VERDICT=approved",
        "TOTP_REASON=code-accepted",
        &format!("TOTP_FACTOR={id}"),
    ] {
        assert_has(&by_factor, field);
    }
    assert!(!by_factor.iter().any(|line| line.starts_with("TOTP_RECOVERY")));
    let by_recovery_code = attempt_fields(true, &approved(None, Method::Recovery));
    assert_has(&by_recovery_code, "TOTP_REASON=recovery-code-accepted");
    assert_has(&by_recovery_code, "TOTP_RECOVERY_CODES_LEFT=9");
}

#[test]
fn a_denial_names_its_reason() {
    let denied = Verdict::Denied;
    let throttled = |retry_after| Verdict::Throttled { retry_after };
    for (is_known, verdict, word, reason) in [
        (false, denied(DenialReason::NotEnrolled), "denied", "no-such-user"),
        (true, denied(DenialReason::NotEnrolled), "denied", "not-enrolled"),
        (true, denied(DenialReason::Replayed), "denied", "code-replayed"),
        (true, denied(DenialReason::NoMatch), "denied", "code-wrong"),
        (true, denied(DenialReason::NoRecoveryCode), "denied", "recovery-code-invalid"),
        (true, throttled(None), "throttled", "locked"),
        (true, throttled(Some(5)), "throttled", "waiting"),
    ] {
        let fields = attempt_fields(is_known, &verdict);
        assert_has(&fields, "PRIORITY=5");
        assert_has(&fields, &format!("TOTP_VERDICT={word}"));
        assert_has(&fields, &format!("TOTP_REASON={reason}"));
    }
    let damaged = event_fields(true, |login| {
        LoginEvent::new(login, LoginOutcome::Denied, Reason::RecordDamaged)
    });
    for field in ["PRIORITY=5", "TOTP_VERDICT=denied", "TOTP_REASON=record-damaged"] {
        assert_has(&damaged, field);
    }
}

#[test]
fn an_unknown_name_is_never_written() {
    let fields = attempt_fields(false, &Verdict::Denied(DenialReason::NotEnrolled));
    assert!(!fields.iter().any(|line| line.contains("alice")), "{fields:?}");
    let message = r"MESSAGE=denied for a name that this machine does not know at ss\u{a}hd from nowhere: no such user";
    assert_eq!(fields[0], message);
}

#[test]
fn everything_but_approvals_for_root_has_a_budget() {
    let (alice, nobody, context) = (account(true), account(false), context(None, None));
    let topic = |uid, account, outcome| {
        let (caller, source) = (Caller { uid }, &Source::Uid(7));
        let login = LoginScene { caller, account, context: &context, source };
        let event = LoginEvent::new(login, outcome, Reason::CodeWrong);
        let topic = login_topic(&event, user_of(&event));
        topic.map(|topic| topic.text)
    };
    assert_eq!(topic(0, &alice, LoginOutcome::Approved), None);
    // A token that counts presses has as many right codes as its owner likes.
    let approved = Some("approved for alice from uid:7".to_owned());
    assert_eq!(topic(1000, &alice, LoginOutcome::Approved), approved);
    let denied = Some("denied or throttled for alice from uid:7".to_owned());
    assert_eq!(topic(0, &alice, LoginOutcome::Denied), denied);
    assert_eq!(topic(0, &alice, LoginOutcome::Throttled), denied);
    let skipped = Some("skipped for alice from uid:7".to_owned());
    assert_eq!(topic(0, &alice, LoginOutcome::Skipped), skipped);
    let unknown = topic(0, &nobody, LoginOutcome::Denied);
    assert_eq!(unknown, topic(0, &nobody, LoginOutcome::Throttled));
    assert!(unknown.is_some_and(|text| !text.contains("alice")));
}

#[test]
fn the_end_of_a_first_login_is_always_written() {
    let (alice, context) = (account(true), context(Some("sshd"), None));
    let login =
        LoginScene { caller: ROOT, account: &alice, context: &context, source: &Source::Nowhere };
    for reason in [Reason::LoginTimedOut, Reason::OtherFactorVerified, Reason::TokenUnknown] {
        let event = LoginEvent::new(login, LoginOutcome::Denied, reason);
        assert_eq!(login_topic(&event, user_of(&event)), None, "{reason:?}");
    }
}

#[test]
fn a_source_of_nowhere_has_a_topic_for_each_place() {
    let alice = account(true);
    let topic = |rhost: Option<&str>| {
        let (context, source) = (context(Some("sshd"), rhost), &Source::Nowhere);
        let login = LoginScene { caller: ROOT, account: &alice, context: &context, source };
        let event = LoginEvent::new(login, LoginOutcome::Denied, Reason::CodeWrong);
        login_topic(&event, user_of(&event)).unwrap().text
    };
    let first = "denied or throttled for alice from a.example at sshd";
    assert_eq!(topic(Some("a.example")), first);
    assert_ne!(topic(Some("a.example")), topic(Some("b.example")));
    assert_eq!(topic(None), "denied or throttled for alice from - at sshd");
}

#[test]
fn only_a_change_of_ones_own_factors_has_a_budget() {
    let RecordKey::User(alice) = user("alice") else { panic!("a user") };
    let event = |is_own| ChangeEvent {
        by: Caller { uid: 1000 },
        user: &alice,
        is_own,
        factors: Factors::All,
        reason: Reason::FactorRemoved,
    };
    assert_eq!(change_topic(&event(false)), None);
    let topic = change_topic(&event(true)).unwrap();
    assert_eq!(topic.text, "alice by uid 1000: factor removed");
    let fields = fields(&change_entry(&event(true)));
    assert_eq!(fields[0], "MESSAGE=alice by uid 1000: factor removed");
    for field in [
        "MESSAGE_ID=9b5d8a3e4c1f4d7c9a2b7e6f0c3d5a18",
        "TOTP_USER=alice",
        "TOTP_FACTOR=all",
        "TOTP_REASON=factor-removed",
        "TOTP_BY_UID=1000",
    ] {
        assert_has(&fields, field);
    }
}

#[test]
fn a_restoration_says_whose_backup_it_was() {
    let restoration = Restoration {
        users: 3,
        host: "a\nb".into(),
        created: 7,
        signed_by: "another store",
        fingerprint: Some("SHA256:x".into()),
        newer_backup: Some(9),
        accepts_unsigned: true,
    };
    let fields = fields(&store_entry(ROOT, &StoreEvent::Restored(restoration)));
    let message = r"MESSAGE=store replaced by a backup by uid 0: 3 users from a\u{a}b, made at second 7, signed by another store SHA256:x, older than one of second 9, with unsigned";
    assert_eq!(fields[0], message);
    assert_has(&fields, "TOTP_REASON=store-restored");
}

#[test]
fn the_page_has_every_field_and_message_id() {
    let page = include_str!("../../../../docs/reference/events.md");
    let sources = [
        include_str!("login_record.rs"),
        include_str!("change_record.rs"),
        include_str!("store_record.rs"),
        include_str!("../budgeted_log.rs"),
    ];
    let quoted = sources.iter().flat_map(|source| source.split('"'));
    let is_hex = |text: &str| text.len() == 32 && text.bytes().all(|b| b.is_ascii_hexdigit());
    let is_field = |text: &str| text.starts_with("TOTP_") && !text.contains('=');
    let wanted: Vec<_> = quoted.filter(|text| is_field(text) || is_hex(text)).collect();
    assert!(wanted.len() > 15, "{wanted:?}");
    for name in wanted {
        assert!(page.contains(&format!("`{name}`")), "{name}");
    }
    for name in page.split('`').filter(|name| is_field(name)) {
        assert!(sources.iter().any(|source| source.contains(name)), "{name}");
    }
}
