//! How an authentication ended, and the one place where that becomes a PAM code.

use nonstick::{ErrorCode, Result};
use totpd_journal::{Entry, Priority, Program};

/// How it ended. Everything but the first two refuses.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Outcome {
    /// The daemon approved the code.
    Approved,
    /// The daemon said that no code is needed here.
    Skipped,
    /// Nobody could be asked.
    ConversationFailed,
    /// The code was wrong, used, or none.
    Denied,
    /// A bug, or something that the module does not know.
    Internal(String),
    /// The module is set up wrongly.
    Misconfigured(String),
    /// Too many wrong codes.
    Throttled,
    /// The daemon or the bus did not answer.
    Unavailable(String),
}

impl Outcome {
    /// Whether libpam may go on to let the user in.
    pub(crate) fn lets_in(&self) -> bool {
        matches!(self, Self::Approved | Self::Skipped)
    }

    /// Whether a person typed something that was refused, which is answered after a delay.
    pub(crate) fn is_refused_code(&self) -> bool {
        matches!(self, Self::Denied | Self::Throttled)
    }

    /// Logs what the daemon does not log itself.
    pub(crate) fn report(&self) {
        let (priority, message) = match self {
            Self::Approved | Self::Denied | Self::Skipped | Self::Throttled => return,
            Self::ConversationFailed => (Priority::Notice, "nobody could be asked".into()),
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
    fn only_an_approved_code_succeeds_and_only_the_daemons_word_is_ignored() {
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
