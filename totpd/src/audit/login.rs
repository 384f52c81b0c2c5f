//! A decision about a login, as the journal has it.

use totpd_core::source::Source;
use totpd_core::verification::{Reason, Verdict};
use totpd_interface::login::LoginContext;
use totpd_interface::verdict;
use totpd_journal::escape::{MAX_NAME_CHARS, escape_within};
use totpd_journal::{Entry, Priority};

use crate::access::caller::Caller;
use crate::audit::Topic;

/// The result of a login attempt, as the log has it.
#[derive(Debug)]
pub(crate) enum AttemptEvent {
    /// The record of the user cannot be unsealed, so the core could not judge by it.
    DamagedRecord,
    /// The core judged by the record of the user, or by the bucket of a name that has none.
    Judged(Verdict),
}

/// What came of one attempt. `user`: the name, if it is one that this machine knows.
pub(crate) fn of_attempt(
    user: Option<&str>,
    context: &LoginContext,
    source: &Source,
    event: &AttemptEvent,
) -> Entry {
    let judged = match event {
        AttemptEvent::DamagedRecord => {
            return decision(user, context, source, verdict::DENIED, DAMAGED);
        }
        AttemptEvent::Judged(judged) => judged,
    };
    let (word, reason) = match judged {
        Verdict::Approved { method: "recovery", .. } => (verdict::APPROVED, "recovery code"),
        Verdict::Approved { .. } => (verdict::APPROVED, "right code"),
        Verdict::Denied(reason) => (verdict::DENIED, words(*reason, user)),
        Verdict::Throttled { retry_after: None } => (verdict::THROTTLED, "locked"),
        Verdict::Throttled { retry_after: Some(_) } => (verdict::THROTTLED, "waiting"),
    };
    let entry = decision(user, context, source, word, reason);
    match judged {
        Verdict::Approved { factor: Some(factor), .. } => {
            entry.with("TOTP_FACTOR", factor.as_str())
        }
        Verdict::Approved { factor: None, recovery_codes_left, .. } => {
            entry.with("TOTP_RECOVERY_CODES_LEFT", &recovery_codes_left.to_string())
        }
        Verdict::Denied(_) | Verdict::Throttled { .. } => entry,
    }
}

fn words(reason: Reason, user: Option<&str>) -> &'static str {
    match reason {
        Reason::Disabled => "all factors are disabled: totpctl set",
        Reason::Malformed => "not a code",
        Reason::NotEnrolled if user.is_none() => "no such user",
        Reason::NotEnrolled => "not enrolled",
        Reason::Unsynchronized => "the token is to be resynchronized: totpctl resync",
        Reason::UidChanged => "the name belongs to another uid than at enrollment",
        Reason::Restricted => "right code of a factor that is not good here, or now",
        Reason::NotYetUsable => "code of a seed that was brought, from before its first good one",
        Reason::Replayed => "used code",
        Reason::NoMatch => "wrong code",
    }
}

/// The structured record of one decision.
pub(crate) fn decision(
    user: Option<&str>,
    context: &LoginContext,
    source: &Source,
    word: &str,
    reason: &str,
) -> Entry {
    let service = context.service.as_deref().unwrap_or("-");
    let message = format!("{word} for {} at {service} from {source}: {reason}", named(user));
    let priority = match word {
        verdict::APPROVED => Priority::Info,
        _ => Priority::Notice,
    };
    Entry::new(priority, message)
        .with("MESSAGE_ID", DECISION)
        .with("TOTP_USER", &user.map(loggable).unwrap_or_default())
        .with("TOTP_SERVICE", context.service.as_deref().unwrap_or_default())
        .with("TOTP_RHOST", context.rhost.as_deref().unwrap_or_default())
        .with("TOTP_TTY", context.tty.as_deref().unwrap_or_default())
        .with("TOTP_VERDICT", word)
        .with("TOTP_REASON", reason)
}

/// What the decisions of this kind about `user` from `source` have in common, if others can cause them as often as
/// they like.
///
/// An approval that root's programs asked for is always written. Who asks for its own over the bus may have a token
/// that counts presses, and as many right codes as it likes. Where the source is nowhere, the place is what the program
/// said: a flood from one host does not hide another.
pub(crate) fn topic(
    caller: Caller,
    user: Option<&str>,
    (context, source): (&LoginContext, &Source),
    word: &str,
) -> Option<Topic> {
    let what = match word {
        verdict::APPROVED if caller.is_root() => return None,
        verdict::DENIED | verdict::THROTTLED => "denied or throttled",
        other => other,
    };
    let place = match (source, &context.service, &context.rhost) {
        (Source::Nowhere, service, rhost) => {
            let said = |text: &Option<String>| loggable(text.as_deref().unwrap_or("-"));
            format!("{} at {}", said(rhost), said(service))
        }
        _ => source.to_string(),
    };
    let text = format!("{what} for {} from {place}", named(user));
    Some(Topic { user: user.map(loggable), text })
}

fn named(user: Option<&str>) -> String {
    user.map_or_else(|| "a name that this machine does not know".into(), loggable)
}

/// What a program said, which may be megabytes, as the log has it.
fn loggable(text: &str) -> String {
    escape_within(text, MAX_NAME_CHARS).into_owned()
}

/// Why no code opens anything where the record cannot be unsealed.
pub(crate) const DAMAGED: &str = "the record is damaged: totpctl verify-store";
/// Finds every decision: `journalctl MESSAGE_ID=…`.
const DECISION: &str = "3c6f1a52d0f94a7f8e0f4f6a3d9a1b7e";

#[cfg(test)]
mod tests {
    use totpd_core::factor::FactorId;

    use super::*;

    /// The fields of the record in the journal.
    fn fields(user: Option<&str>, event: &AttemptEvent) -> Vec<String> {
        let context = LoginContext { service: Some("sshd".into()), ..LoginContext::default() };
        let entry = of_attempt(user, &context, &Source::Nowhere, event);
        String::from_utf8(entry.native()).unwrap().lines().map(ToOwned::to_owned).collect()
    }

    #[test]
    fn an_approval_says_by_what() {
        let alice = Some("al\nice");
        let id = FactorId::from_random([1; 5]);
        let approved = |factor, method| {
            AttemptEvent::Judged(Verdict::Approved {
                factor,
                method,
                recovery_codes_left: 9,
                unreported_use: None,
            })
        };
        let told = fields(alice, &approved(Some(id.clone()), "totp"));
        for field in [
            "PRIORITY=6",
            "MESSAGE_ID=3c6f1a52d0f94a7f8e0f4f6a3d9a1b7e",
            r"TOTP_USER=al\u{a}ice",
            "TOTP_SERVICE=sshd",
            "TOTP_VERDICT=approved",
            "TOTP_REASON=right code",
            &format!("TOTP_FACTOR={id}"),
        ] {
            assert!(told.iter().any(|line| line == field), "{field}: {told:?}");
        }
        assert!(!told.iter().any(|line| line.starts_with("TOTP_RECOVERY")));
        let told = fields(alice, &approved(None, "recovery"));
        for field in ["TOTP_REASON=recovery code", "TOTP_RECOVERY_CODES_LEFT=9"] {
            assert!(told.iter().any(|line| line == field), "{field}: {told:?}");
        }
    }

    #[test]
    fn a_refusal_says_why() {
        let denied = |reason| AttemptEvent::Judged(Verdict::Denied(reason));
        let throttled = |retry_after| AttemptEvent::Judged(Verdict::Throttled { retry_after });
        for (user, event, verdict, reason) in [
            (None, denied(Reason::NotEnrolled), "denied", "no such user"),
            (Some("alice"), denied(Reason::NotEnrolled), "denied", "not enrolled"),
            (Some("alice"), AttemptEvent::DamagedRecord, "denied", DAMAGED),
            (Some("alice"), denied(Reason::Replayed), "denied", "used code"),
            (Some("alice"), denied(Reason::NoMatch), "denied", "wrong code"),
            (Some("alice"), throttled(None), "throttled", "locked"),
            (Some("alice"), throttled(Some(5)), "throttled", "waiting"),
        ] {
            let told = fields(user, &event);
            let [verdict, reason] =
                [format!("TOTP_VERDICT={verdict}"), format!("TOTP_REASON={reason}")];
            for field in ["PRIORITY=5", &verdict, &reason] {
                assert!(told.iter().any(|line| line == field), "{field}: {told:?}");
            }
        }
    }

    #[test]
    fn a_name_that_nobody_has_is_not_told() {
        let told = fields(None, &AttemptEvent::Judged(Verdict::Denied(Reason::NotEnrolled)));
        assert!(!told.iter().any(|line| line.starts_with("TOTP_USER")), "{told:?}");
        let message = "MESSAGE=denied for a name that this machine does not know at sshd from nowhere: no such user";
        assert_eq!(told[0], message);
    }

    #[test]
    fn what_others_can_cause_is_budgeted_and_what_roots_programs_approve_is_not() {
        let context = LoginContext::default();
        let by = |uid, user, word| {
            let topic = topic(Caller { uid }, user, (&context, &Source::Uid(7)), word);
            topic.map(|topic| topic.text)
        };
        let of = |user, word| by(0, user, word);
        assert_eq!(of(Some("al\nice"), verdict::APPROVED), None);
        // A token that counts presses has as many right codes as its owner likes.
        let approved = Some("approved for alice from uid:7".to_owned());
        assert_eq!(by(1000, Some("alice"), verdict::APPROVED), approved);
        let denied = Some(r"denied or throttled for al\u{a}ice from uid:7".to_owned());
        assert_eq!(of(Some("al\nice"), verdict::DENIED), denied);
        assert_eq!(of(Some("al\nice"), verdict::THROTTLED), denied);
        assert_eq!(of(Some("alice"), "skipped"), Some("skipped for alice from uid:7".into()));
        assert_eq!(of(None, verdict::DENIED), of(None, verdict::THROTTLED));
    }

    #[test]
    fn where_the_source_is_nowhere_each_place_that_was_said_has_a_topic_of_its_own() {
        let of = |rhost: Option<&str>| {
            let service = Some("sshd".into());
            let context =
                LoginContext { service, rhost: rhost.map(Into::into), ..LoginContext::default() };
            let place = (&context, &Source::Nowhere);
            topic(Caller { uid: 0 }, Some("alice"), place, verdict::DENIED).unwrap().text
        };
        assert_eq!(of(Some("a.example")), "denied or throttled for alice from a.example at sshd");
        assert_ne!(of(Some("a.example")), of(Some("b.example")));
        assert_eq!(of(None), "denied or throttled for alice from - at sshd");
    }
}
