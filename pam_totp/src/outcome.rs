//! The outcome of an authentication, and the only place that maps it to a PAM code.

use pam::constants::PamResultCode;
use totpd_journal::{Entry, Priority, Program};

/// The outcome of an authentication. All but the first two deny.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Outcome {
    /// The daemon approved the code.
    Approved,
    /// The daemon requires no code here, or the account phase has no objection.
    Skipped,
    /// No code was given, and the account phase needs one.
    Barred,
    /// The conversation failed.
    ConversationFailed,
    /// The code was wrong, replayed or malformed.
    Denied,
    /// A bug, or a reply that the module does not know.
    Internal(String),
    /// An option or the stack is wrong.
    Misconfigured(String),
    /// Too many wrong codes.
    Throttled,
    /// The daemon cannot be reached or cannot decide.
    Unavailable(String),
}

impl Outcome {
    /// Reports whether libpam may continue the login.
    pub(crate) fn lets_in(&self) -> bool {
        matches!(self, Self::Approved | Self::Skipped)
    }

    /// Reports whether a person typed something that was refused. The refusal is then delayed.
    pub(crate) fn is_refused_code(&self) -> bool {
        matches!(self, Self::Denied | Self::Throttled)
    }

    /// Logs what the daemon does not log.
    pub(crate) fn report(&self) {
        let (priority, message) = match self {
            Self::Approved | Self::Barred | Self::Denied | Self::Skipped | Self::Throttled => {
                return;
            }
            Self::ConversationFailed => {
                (Priority::Notice, "cannot ask for a code: the conversation failed".into())
            }
            Self::Internal(reason) | Self::Misconfigured(reason) => {
                (Priority::Error, format!("access denied: {reason}"))
            }
            Self::Unavailable(reason) => {
                (Priority::Error, format!("access denied: totpd is unavailable: {reason}"))
            }
        };
        Entry::new(priority, message).by(Program::PamTotp).write();
    }
}

impl From<Outcome> for PamResultCode {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Approved => Self::PAM_SUCCESS,
            Outcome::Skipped => Self::PAM_IGNORE,
            Outcome::Barred => Self::PAM_PERM_DENIED,
            Outcome::ConversationFailed => Self::PAM_CONV_ERR,
            Outcome::Denied => Self::PAM_AUTH_ERR,
            Outcome::Internal(_) | Outcome::Misconfigured(_) => Self::PAM_SERVICE_ERR,
            Outcome::Throttled => Self::PAM_MAXTRIES,
            Outcome::Unavailable(_) => Self::PAM_AUTHINFO_UNAVAIL,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_approved_succeeds_and_only_skipped_is_ignored() {
        for (outcome, code) in [
            (Outcome::Approved, PamResultCode::PAM_SUCCESS),
            (Outcome::Skipped, PamResultCode::PAM_IGNORE),
            (Outcome::Barred, PamResultCode::PAM_PERM_DENIED),
            (Outcome::ConversationFailed, PamResultCode::PAM_CONV_ERR),
            (Outcome::Denied, PamResultCode::PAM_AUTH_ERR),
            (Outcome::Internal(String::new()), PamResultCode::PAM_SERVICE_ERR),
            (Outcome::Misconfigured(String::new()), PamResultCode::PAM_SERVICE_ERR),
            (Outcome::Throttled, PamResultCode::PAM_MAXTRIES),
            (Outcome::Unavailable(String::new()), PamResultCode::PAM_AUTHINFO_UNAVAIL),
        ] {
            assert_eq!(PamResultCode::from(outcome), code);
        }
    }
}
