//! A decision about a login, as the journal has it.

use totpd_interface::verdict;

use crate::attempt::{Reason, Verdict};
use crate::context::Context;
use crate::journal::{Entry, Priority, escaped, shortened};
use crate::target::Target;
use crate::throttle::Source;

/// Writes what came of one attempt.
pub(super) fn journal(
    user: &str,
    context: &Context,
    source: &Source,
    target: &Target,
    judged: &Verdict,
) {
    let (word, reason) = match judged {
        Verdict::Approved { method: "recovery", left, .. } => {
            return decision(user, context, source, verdict::APPROVED, "recovery code")
                .with("TOTP_RECOVERY_CODES_LEFT", &left.to_string())
                .write();
        }
        Verdict::Approved { .. } => (verdict::APPROVED, "right code"),
        Verdict::Denied(reason) => (verdict::DENIED, words(*reason, target)),
        Verdict::Throttled { retry_after: None } => (verdict::THROTTLED, "locked"),
        Verdict::Throttled { retry_after: Some(_) } => (verdict::THROTTLED, "waiting"),
    };
    let entry = decision(user, context, source, word, reason);
    match judged {
        Verdict::Approved { factor: Some(factor), .. } => {
            entry.with("TOTP_FACTOR", factor.as_str())
        }
        _ => entry,
    }
    .write();
}

fn words(reason: Reason, target: &Target) -> &'static str {
    match reason {
        Reason::Disabled => "all factors are disabled: totpctl set",
        Reason::Malformed => "not a code",
        Reason::NotEnrolled if target.uid.is_none() => "no such user",
        Reason::NotEnrolled => "not enrolled",
        Reason::Unsynchronised => "the token is to be resynchronised: totpctl resync",
        Reason::UidChanged => "the name belongs to another uid than at enrolment",
        Reason::NotHere => "right code of a factor that is not good here, or now",
        Reason::Used => "used code",
        Reason::Wrong => "wrong code",
    }
}

/// The structured record of one decision.
pub(super) fn decision(
    user: &str,
    context: &Context,
    source: &Source,
    word: &str,
    reason: &str,
) -> Entry {
    let user = shortened(user);
    let service = context.service.as_deref().unwrap_or("-");
    let message =
        format!("{word} for {} at {} from {source}: {reason}", escaped(&user), escaped(service));
    let priority = match word {
        verdict::APPROVED => Priority::Info,
        _ => Priority::Notice,
    };
    Entry::new(priority, message)
        .with("MESSAGE_ID", DECISION)
        .with("TOTP_USER", &user)
        .with("TOTP_SERVICE", context.service.as_deref().unwrap_or_default())
        .with("TOTP_RHOST", context.rhost.as_deref().unwrap_or_default())
        .with("TOTP_TTY", context.tty.as_deref().unwrap_or_default())
        .with("TOTP_VERDICT", word)
        .with("TOTP_REASON", reason)
}

/// Finds every decision: `journalctl MESSAGE_ID=…`.
const DECISION: &str = "3c6f1a52d0f94a7f8e0f4f6a3d9a1b7e";
