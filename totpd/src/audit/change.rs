//! What the journal is told of changes of factors.

use totpd_core::user_name::UserName;
use totpd_interface::Error;
use totpd_journal::escape::escape;
use totpd_journal::{Entry, Priority};

use crate::access::caller::Caller;
use crate::audit::Topic;
use crate::daemon::Daemon;
use crate::manage::authorization::AuthorizedCaller;

/// Logs that a caller had no good current code: whoever guesses there must be seen.
pub(crate) fn refusal(daemon: &Daemon, actor: &AuthorizedCaller, error: &Error) {
    if matches!(error, Error::InvalidCode(_) | Error::Throttled(_)) {
        change(daemon, actor, "", "refused: no good current code was given");
    }
}

/// Logs one change of a user's factors. A user can cause as many of its own as it likes: they have a budget. What
/// root does, and whoever manages users, is always written.
pub(crate) fn change(daemon: &Daemon, actor: &AuthorizedCaller, factor: &str, what: &str) {
    let entry = entry(&actor.name, factor, what, actor.caller);
    match actor.is_own {
        false => entry.write(),
        true => {
            let name = escape(actor.name.as_str());
            let text = format!("{name} by uid {}: {what}", actor.caller.uid);
            daemon.log.write(Topic { user: Some(actor.name.to_string()), text }, &entry);
        }
    }
}

/// The structured record of one change of a user's factors.
fn entry(user: &UserName, factor: &str, what: &str, caller: Caller) -> Entry {
    let by = caller.uid.to_string();
    let message = format!("{} by uid {by}: {what}", user.as_str());
    Entry::new(Priority::Notice, message)
        .with("MESSAGE_ID", CHANGE)
        .with("TOTP_USER", user.as_str())
        .with("TOTP_FACTOR", &factor.chars().take(16).collect::<String>())
        .with("TOTP_REASON", what)
        .with("TOTP_BY_UID", &by)
}

/// Finds every change: `journalctl MESSAGE_ID=…`.
const CHANGE: &str = "9b5d8a3e4c1f4d7c9a2b7e6f0c3d5a18";
