//! The reason why a command failed, and its exit status.

use crate::daemon_log;
use std::fmt;
use std::io;
use std::process::ExitCode;

use serde_json::{Value, json};
use totpd_interface::Error as DaemonError;

/// The reason why a command failed: the failed action, the cause, and the remedy.
#[derive(Debug)]
pub(crate) enum Error {
    /// The caller is not authorized (4).
    NotAuthorized(String),
    /// The reader of the output has closed it, so nothing is printed (1).
    BrokenPipe,
    /// Refused or failed (1).
    Refused {
        /// The token in the JSON.
        code: &'static str,
        /// The sentence for people.
        message: String,
    },
    /// A failure that the printed JSON already tells (1): the command found problems, or a code was
    /// denied.
    Reported(String),
    /// What was compared differs, which the output already tells (5).
    Differs,
    /// The daemon or the bus cannot be reached (3).
    Unreachable(String),
    /// The command line is invalid (2).
    Usage(String),
}

impl Error {
    /// Returns a refusal with this message.
    pub(crate) fn refused(message: impl Into<String>) -> Self {
        Self::Refused { code: REFUSED, message: message.into() }
    }

    /// Returns a failure with this message, which the printed object tells programs.
    pub(crate) fn reported(message: impl Into<String>) -> Self {
        Self::Reported(message.into())
    }

    /// Returns the error with a clause on what the failure means for the factors of a user. The
    /// reader of an output is gone: then the person at standard error reads it.
    pub(crate) fn with_consequence(self, consequence: &str) -> Self {
        let error = match self {
            Self::BrokenPipe => Self::refused("cannot write the output: its reader is gone"),
            other => other,
        };
        error.with_message(|message| format!("{message}; {consequence}"))
    }

    /// Returns the error with what `change` makes of its message.
    pub(crate) fn with_message(self, change: impl FnOnce(String) -> String) -> Self {
        match self {
            Self::BrokenPipe => Self::BrokenPipe,
            Self::Differs => Self::Differs,
            Self::NotAuthorized(message) => Self::NotAuthorized(change(message)),
            Self::Refused { code, message } => Self::Refused { code, message: change(message) },
            Self::Reported(message) => Self::Reported(change(message)),
            Self::Unreachable(message) => Self::Unreachable(change(message)),
            Self::Usage(message) => Self::Usage(change(message)),
        }
    }

    /// Returns the JSON object `error` with its `code` and `message`, if no other object tells the
    /// failure.
    pub(crate) fn json(&self) -> Option<Value> {
        let code = self.code()?;
        Some(json!({ "error": { "code": code, "message": self.to_string() } }))
    }

    /// Returns the token of the failure.
    pub(crate) fn code(&self) -> Option<&'static str> {
        match self {
            Self::BrokenPipe | Self::Differs | Self::Reported(_) => None,
            Self::NotAuthorized(_) => Some("not-authorized"),
            Self::Refused { code, .. } => Some(code),
            Self::Unreachable(_) => Some("unreachable"),
            Self::Usage(_) => Some("usage"),
        }
    }

    /// Returns the error of a command that only reads, for which polkit asks nobody: `command` of
    /// root would do `what`.
    pub(crate) fn of_reading(self, command: &str, what: &str) -> Self {
        match self {
            Self::NotAuthorized(reason) if !reason.contains("polkit is not running") => {
                Self::NotAuthorized(format!(
                    "not authorized: only administrators may {what} (sudo totpctl {command}); your own \
                     factors: totpctl show"
                ))
            }
            other => other,
        }
    }
}

/// The code of a failure that has no code of its own.
const REFUSED: &str = "refused";

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BrokenPipe | Self::Differs => Ok(()),
            Self::NotAuthorized(message)
            | Self::Refused { message, .. }
            | Self::Reported(message)
            | Self::Unreachable(message)
            | Self::Usage(message) => f.write_str(message),
        }
    }
}

impl From<Error> for ExitCode {
    fn from(error: Error) -> Self {
        Self::from(match error {
            Error::BrokenPipe | Error::Refused { .. } | Error::Reported(_) => 1,
            Error::Usage(_) => 2,
            Error::Unreachable(_) => 3,
            Error::NotAuthorized(_) => 4,
            Error::Differs => 5,
        })
    }
}

impl From<DaemonError> for Error {
    fn from(error: DaemonError) -> Self {
        let refused = |code, message| Self::Refused { code, message };
        match error {
            DaemonError::Bus(error) => error.into(),
            DaemonError::NotAuthorized(message) => {
                Self::NotAuthorized(format!("not authorized: {message}"))
            }
            DaemonError::AlreadyEnrolled(message) => refused("already-enrolled", message),
            DaemonError::Expired(message) => refused("expired", message),
            DaemonError::Internal(message) => refused("internal", message),
            DaemonError::InvalidArgument(message) => refused("invalid-argument", message),
            DaemonError::InvalidConfiguration(message) => refused("invalid-configuration", message),
            DaemonError::InvalidCode(message) => refused("invalid-code", message),
            DaemonError::LimitsExceeded(message) => refused("limits-exceeded", message),
            DaemonError::NoSuchUser(message) => refused("no-such-user", message),
            DaemonError::NotEnrolled(message) => refused("not-enrolled", message),
            DaemonError::StoreCorrupt(message) => refused("store-corrupt", message),
            DaemonError::StoreUnavailable(message) => refused("store-unavailable", message),
            DaemonError::Throttled(message) => refused("throttled", message),
        }
    }
}

impl From<zbus::Error> for Error {
    fn from(error: zbus::Error) -> Self {
        use zbus::fdo;
        match &error {
            zbus::Error::FDO(inner) => match &**inner {
                fdo::Error::AccessDenied(message) => Self::NotAuthorized(format!(
                    "not authorized: the system bus denies the call: {message}"
                )),
                fdo::Error::ServiceUnknown(_) | fdo::Error::SpawnServiceNotFound(_) => {
                    Self::Unreachable(
                        "totpd is not installed, or the system bus does not know it yet; reload \
                         the bus (systemctl reload dbus)"
                            .into(),
                    )
                }
                fdo::Error::NoReply(_)
                | fdo::Error::SpawnChildExited(_)
                | fdo::Error::SpawnChildSignaled(_)
                | fdo::Error::SpawnExecFailed(_)
                | fdo::Error::TimedOut(_)
                | fdo::Error::Timeout(_) => Self::Unreachable(format!(
                    "totpd does not answer: it cannot start, or does not run; as root, totpctl doctor may say why; {}",
                    daemon_log::advice()
                )),
                inner => Self::Unreachable(format!(
                    "totpd does not answer: {inner}; {}",
                    daemon_log::advice()
                )),
            },
            other => Self::Unreachable(format!("totpd does not answer: {other}")),
        }
    }
}

impl From<io::Error> for Error {
    /// Converts errors of writing the output. Other errors of files get their own message.
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::BrokenPipe,
            _ => Self::refused(format!("cannot write the output: {error}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_of_the_daemon_has_a_code_of_its_own() {
        for (error, code) in [
            (DaemonError::NoSuchUser("x".into()).into(), Some("no-such-user")),
            (DaemonError::Throttled("x".into()).into(), Some("throttled")),
            (DaemonError::NotAuthorized("x".into()).into(), Some("not-authorized")),
            (Error::refused("x"), Some("refused")),
            (Error::Usage("x".into()), Some("usage")),
            (Error::Unreachable("x".into()), Some("unreachable")),
            (Error::reported("x"), None),
            (Error::BrokenPipe, None),
        ] {
            let object = error.json();
            let found = object.as_ref().and_then(|object| object["error"]["code"].as_str());
            assert_eq!(found, code, "{error:?}");
        }
    }
}
