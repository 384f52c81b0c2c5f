//! The record of a decision at a login: approved, denied, throttled.

use totpd_core::source::Source;
use totpd_interface::login::LoginContext;
use totpd_journal::{Entry, Priority};

use crate::audit::budget::Topic;
use crate::audit::event::{LoginEvent, LoginOutcome};
use crate::audit::journal::loggable::loggable;
use crate::audit::reason::Reason;

/// Returns the record of a decision. `user` is the user of it, escaped.
pub(super) fn login_entry(event: &LoginEvent<'_>, user: Option<&str>) -> Entry {
    let (context, word) = (event.login.context, event.outcome.word());
    let (name, service) = (user.unwrap_or(NOBODY), text(&context.service));
    let (source, sentence) = (origin(context, event.login.source), event.reason.sentence());
    let at = if service.is_empty() { "-" } else { service };
    let mut message = [word, " for ", name, " at ", at, " from ", &source, ": ", sentence].concat();
    let rule = event.rule.map(|rule| loggable(rule.as_str()));
    match (&rule, event.is_in_doubt) {
        (Some(rule), false) => message.extend([" (rule ", rule.as_str(), ")"]),
        (Some(rule), true) => message.extend([" (rule ", rule.as_str(), ", in doubt)"]),
        (None, true) => message.push_str(" (a rule is in doubt)"),
        (None, false) => {}
    }
    let priority = match event.outcome {
        LoginOutcome::Approved => Priority::Info,
        _ => Priority::Notice,
    };
    let left = event.recovery_codes_left.map(|left| left.to_string());
    Entry::new(priority, message)
        .with("MESSAGE_ID", LOGIN_MESSAGE_ID)
        .with("TOTP_USER", user.unwrap_or_default())
        .with("TOTP_SERVICE", service)
        .with("TOTP_RHOST", text(&context.rhost))
        .with("TOTP_TTY", text(&context.tty))
        .with("TOTP_VERDICT", word)
        .with("TOTP_REASON", event.reason.token())
        .with("TOTP_RULE", event.rule.map_or("", |rule| rule.as_str()))
        .with("TOTP_FACTOR", event.factor.as_ref().map_or("", |factor| factor.as_str()))
        .with("TOTP_RECOVERY_CODES_LEFT", &left.unwrap_or_default())
}

/// Returns the topic of a decision of this kind about this user from this place. Returns `None` if
/// others cannot cause such decisions as often as they like.
///
/// The journal always has an approval for root's programs. A user on the bus may have a token that
/// counts presses, and as many right codes as it likes. Three events occur only so often: the
/// daemon shows a key, a lock starts, a first login ends. If the source is nowhere, the place is
/// the data that the program sent. Therefore a flood from one host does not hide another.
pub(super) fn login_topic(event: &LoginEvent<'_>, user: Option<String>) -> Option<Topic> {
    let is_rare = matches!(
        event.reason,
        Reason::FactorShown
            | Reason::LockStarted
            | Reason::LoginTimedOut
            | Reason::OtherFactorVerified
            | Reason::TokenUnknown
    );
    let kind = match event.outcome {
        _ if is_rare => return None,
        LoginOutcome::Approved if event.login.caller.is_root() => return None,
        LoginOutcome::Denied | LoginOutcome::Throttled => "denied or throttled",
        outcome => outcome.word(),
    };
    let place = place(event.login.context, event.login.source);
    let text = [kind, " for ", user.as_deref().unwrap_or(NOBODY), " from ", &place].concat();
    Some(Topic { user, text })
}

/// Returns the source for the message. A place that is no source is named too.
fn origin(context: &LoginContext, source: &Source) -> String {
    match (source, &context.rhost) {
        (Source::Nowhere, Some(host)) if !host.is_empty() => {
            format!("{source} ({})", loggable(host))
        }
        _ => source.to_string(),
    }
}

fn place(context: &LoginContext, source: &Source) -> String {
    let text_or_dash = |text: &Option<String>| loggable(text.as_deref().unwrap_or("-"));
    match source {
        Source::Nowhere => {
            format!("{} at {}", text_or_dash(&context.rhost), text_or_dash(&context.service))
        }
        _ => source.to_string(),
    }
}

fn text(part: &Option<String>) -> &str {
    part.as_deref().unwrap_or_default()
}

pub(super) fn user_of(event: &LoginEvent<'_>) -> Option<String> {
    event.login.account.loggable().map(loggable)
}

/// The words in the place of a name without an account.
const NOBODY: &str = "a name that this machine does not know";
/// The id that finds every decision at a login: `journalctl MESSAGE_ID=…`.
const LOGIN_MESSAGE_ID: &str = "3c6f1a52d0f94a7f8e0f4f6a3d9a1b7e";
