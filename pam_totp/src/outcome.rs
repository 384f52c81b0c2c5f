//! The outcome of an authentication, and the only place that maps it to a PAM code.

use nonstick::{ErrorCode, Result};
use totpd_journal::{Entry, Priority, Program};

/// The outcome of an authentication. All but the first two deny.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Outcome {
    /// The daemon approved the code.
    Approved,
    /// The daemon requires no code here.
    Skipped,
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

    /// Reports whether a person typed something that was refused. The reply is then delayed.
    pub(crate) fn is_refused_code(&self) -> bool {
        matches!(self, Self::Denied | Self::Throttled)
    }

    /// Logs what the daemon does not log.
    pub(crate) fn report(&self) {
        let (priority, message) = match self {
            Self::Approved | Self::Denied | Self::Skipped | Self::Throttled => return,
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

impl From<Outcome> for Result<()> {
    fn from(outcome: Outcome) -> Self {
        Err(match outcome {
            Outcome::Approved => return Ok(()),
            Outcome::Skipped => ErrorCode::Ignore,
            Outcome::ConversationFailed => ErrorCode::ConversationError,
            Outcome::Denied => ErrorCode::AuthenticationError,
            Outcome::Internal(_) | Outcome::Misconfigured(_) => ErrorCode::ServiceError,
            Outcome::Throttled => ErrorCode::MaxTries,
            Outcome::Unavailable(_) => ErrorCode::AuthInfoUnavailable,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_approved_succeeds_and_only_skipped_is_ignored() {
        for (outcome, code) in [
            (Outcome::Approved, Ok(())),
            (Outcome::Skipped, Err(ErrorCode::Ignore)),
            (Outcome::ConversationFailed, Err(ErrorCode::ConversationError)),
            (Outcome::Denied, Err(ErrorCode::AuthenticationError)),
            (Outcome::Internal(String::new()), Err(ErrorCode::ServiceError)),
            (Outcome::Misconfigured(String::new()), Err(ErrorCode::ServiceError)),
            (Outcome::Throttled, Err(ErrorCode::MaxTries)),
            (Outcome::Unavailable(String::new()), Err(ErrorCode::AuthInfoUnavailable)),
        ] {
            assert_eq!(Result::from(outcome), code);
        }
    }
}
