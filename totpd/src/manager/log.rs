//! What the journal is told of changes of factors.

use totpd_interface::Error;

use crate::caller::Caller;
use crate::journal::{Entry, Priority, escaped};
use crate::user::UserName;

/// Logs that a caller had no good current code: whoever guesses there must be seen.
pub(super) fn refusal(user: &UserName, caller: Caller, error: &Error) {
    if matches!(error, Error::BadCode(_) | Error::Throttled(_)) {
        change(user, "", "refused: no good current code was given", caller).write();
    }
}

/// The structured record of one change of a user's factors.
pub(super) fn change(user: &UserName, factor: &str, what: &str, caller: Caller) -> Entry {
    let by = caller.uid.to_string();
    let message = format!("{} by uid {by}: {what}", escaped(user.as_str()));
    Entry::new(Priority::Notice, message)
        .with("MESSAGE_ID", CHANGE)
        .with("TOTP_USER", user.as_str())
        .with("TOTP_FACTOR", &factor.chars().take(16).collect::<String>())
        .with("TOTP_REASON", what)
        .with("TOTP_BY_UID", &by)
}

/// Finds every change: `journalctl MESSAGE_ID=…`.
const CHANGE: &str = "9b5d8a3e4c1f4d7c9a2b7e6f0c3d5a18";
