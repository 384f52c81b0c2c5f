//! The record of a change of factors, or of the refusal of one.

use totpd_journal::{Entry, Priority};

use crate::audit::budget::Topic;
use crate::audit::event::{ChangeEvent, Factors};
use crate::audit::journal::loggable::loggable;
use crate::audit::reason::Reason;

pub(super) fn change_entry(event: &ChangeEvent<'_>) -> Entry {
    let caller_uid = event.by.uid.to_string();
    let message =
        format!("{} by uid {caller_uid}: {}", event.user.as_str(), event.reason.sentence());
    let factors = match &event.factors {
        Factors::Unnamed => "",
        Factors::One(factor) => factor.as_str(),
        Factors::All => "all",
    };
    let priority = match event.reason {
        // The seeds are outside of the daemon from now on.
        Reason::SeedsExported => Priority::Warning,
        _ => Priority::Notice,
    };
    Entry::new(priority, message)
        .with("MESSAGE_ID", CHANGE_MESSAGE_ID)
        .with("TOTP_USER", event.user.as_str())
        .with("TOTP_FACTOR", factors)
        .with("TOTP_REASON", event.reason.token())
        .with("TOTP_BY_UID", &caller_uid)
}

/// Returns the topic of a change. A user can cause as many changes of its own factors as it likes.
/// The journal always has the changes of root and of those who manage users.
pub(super) fn change_topic(event: &ChangeEvent<'_>) -> Option<Topic> {
    event.is_own.then(|| {
        let user = loggable(event.user.as_str());
        let text = format!("{user} by uid {}: {}", event.by.uid, event.reason.sentence());
        Topic { user: Some(user), text }
    })
}

/// The id that finds every change of factors.
const CHANGE_MESSAGE_ID: &str = "9b5d8a3e4c1f4d7c9a2b7e6f0c3d5a18";
