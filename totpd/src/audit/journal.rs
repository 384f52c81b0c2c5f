//! The journal as a sink of events. Events that others can cause as often as they like have a
//! budget.

use totpd_core::source::Source;
use totpd_interface::login::LoginContext;
use totpd_journal::escape::{MAX_NAME_CHARS, escape_within};
use totpd_journal::{Entry, Priority};

use crate::access::caller::Caller;
use crate::audit::budget::Topic;
use crate::audit::budgeted::BudgetedLog;
use crate::audit::event::{
    ChangeEvent, Event, Factors, LoginEvent, LoginOutcome, Restoration, StoreEvent,
};
use crate::audit::reason::Reason;

/// The journal.
#[derive(Debug, Default)]
pub(crate) struct Journal {
    log: BudgetedLog,
}

impl Journal {
    /// Writes a decision, or counts it if there were too many of its kind.
    pub(crate) fn record(&self, event: &Event<'_>) {
        let (entry, topic) = match event {
            Event::Login(event) => {
                let user = user_of(event);
                (login_entry(event, user.as_deref()), login_topic(event, user))
            }
            Event::Change(event) => (change_entry(event), change_topic(event)),
            Event::Store(by, event) => (store_entry(*by, event), None),
        };
        match topic {
            None => entry.write(),
            Some(topic) => self.log.write(topic, &entry),
        }
    }

    /// Writes a record that is about no user, within the budget of `topic`.
    pub(crate) fn report(&self, topic: String, entry: &Entry) {
        self.log.write(Topic { user: None, text: topic }, entry);
    }
}

/// Returns the record of a decision. `user` is the user of it, escaped.
fn login_entry(event: &LoginEvent<'_>, user: Option<&str>) -> Entry {
    let (context, word) = (event.login.context, event.outcome.word());
    let (name, service) = (user.unwrap_or(NOBODY), text(&context.service));
    let (source, sentence) = (origin(context, event.login.source), event.reason.sentence());
    let at = if service.is_empty() { "-" } else { service };
    let mut message = [word, " for ", name, " at ", at, " from ", &source, ": ", sentence].concat();
    let rule = event.rule.map(|rule| loggable(rule.as_str()));
    if let Some(rule) = &rule {
        message.extend([" (rule ", rule.as_str(), ")"]);
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
fn login_topic(event: &LoginEvent<'_>, user: Option<String>) -> Option<Topic> {
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

fn change_entry(event: &ChangeEvent<'_>) -> Entry {
    let caller_uid = event.by.uid.to_string();
    let message =
        format!("{} by uid {caller_uid}: {}", event.user.as_str(), event.reason.sentence());
    let factors = match &event.factors {
        Factors::Unnamed => "",
        Factors::One(factor) => factor.as_str(),
        Factors::All => "all",
    };
    Entry::new(Priority::Notice, message)
        .with("MESSAGE_ID", CHANGE_MESSAGE_ID)
        .with("TOTP_USER", event.user.as_str())
        .with("TOTP_FACTOR", factors)
        .with("TOTP_REASON", event.reason.token())
        .with("TOTP_BY_UID", &caller_uid)
}

/// Returns the topic of a change. A user can cause as many changes of its own factors as it likes.
/// The journal always has the changes of root and of those who manage users.
fn change_topic(event: &ChangeEvent<'_>) -> Option<Topic> {
    event.is_own.then(|| {
        let user = loggable(event.user.as_str());
        let text = format!("{user} by uid {}: {}", event.by.uid, event.reason.sentence());
        Topic { user: Some(user), text }
    })
}

fn store_entry(by: Caller, event: &StoreEvent) -> Entry {
    let (reason, details) = match event {
        StoreEvent::BackedUp { users, fingerprint } => {
            (Reason::BackupMade, format!("{users} users, signed by {fingerprint}"))
        }
        StoreEvent::Restored(restoration) => (Reason::StoreRestored, details_of(restoration)),
        StoreEvent::Rekeyed { key } => (Reason::StoreRekeyed, key.clone()),
        StoreEvent::DamageFound { records } => (Reason::DamageFound, records.to_string()),
    };
    let message = format!("{} by uid {}: {details}", reason.sentence(), by.uid);
    Entry::new(Priority::Notice, message)
        .with("MESSAGE_ID", STORE_MESSAGE_ID)
        .with("TOTP_REASON", reason.token())
        .with("TOTP_BY_UID", &by.uid.to_string())
}

fn details_of(restoration: &Restoration) -> String {
    let fingerprint = restoration.fingerprint.as_ref().map(|text| format!(" {text}"));
    let newer = restoration.newer_backup;
    format!(
        "{} users from {}, made at second {}, signed by {}{}{}{}",
        restoration.users,
        loggable(&restoration.host),
        restoration.created,
        restoration.signed_by,
        fingerprint.unwrap_or_default(),
        newer.map(|newest| format!(", older than one of second {newest}")).unwrap_or_default(),
        if restoration.accepts_unsigned { ", with unsigned" } else { "" }
    )
}

fn text(part: &Option<String>) -> &str {
    part.as_deref().unwrap_or_default()
}

fn user_of(event: &LoginEvent<'_>) -> Option<String> {
    event.login.account.loggable().map(loggable)
}

/// Returns the text of a program in the form for the journal. The text may be megabytes.
fn loggable(text: &str) -> String {
    escape_within(text, MAX_NAME_CHARS).into_owned()
}

/// The words in the place of a name without an account.
const NOBODY: &str = "a name that this machine does not know";
/// The id that finds every decision at a login: `journalctl MESSAGE_ID=…`.
const LOGIN_MESSAGE_ID: &str = "3c6f1a52d0f94a7f8e0f4f6a3d9a1b7e";
/// The id that finds every change of factors.
const CHANGE_MESSAGE_ID: &str = "9b5d8a3e4c1f4d7c9a2b7e6f0c3d5a18";
/// The id that finds every task of the store as a whole.
const STORE_MESSAGE_ID: &str = "5e0c1d7b92a84f6f9d3a7c41b86e2f05";

#[cfg(test)]
mod tests;
