//! The reason why a command failed, and its exit status.

use std::fmt;
use std::io;
use std::process::ExitCode;

use totpd_interface::Error as DaemonError;

/// The reason why a command failed: the failed action, the cause, and the remedy.
#[derive(Debug)]
pub(crate) enum Error {
    /// The caller is not authorized (4).
    NotAuthorized(String),
    /// The reader of the output has closed it, so nothing is printed (1).
    BrokenPipe,
    /// Refused or failed (1).
    Refused(String),
    /// The daemon or the bus cannot be reached (3).
    Unreachable(String),
    /// The command line is invalid (2).
    Usage(String),
}

impl Error {
    /// Returns a refusal with this message.
    pub(crate) fn refused(message: impl Into<String>) -> Self {
        Self::Refused(message.into())
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

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BrokenPipe => Ok(()),
            Self::NotAuthorized(message)
            | Self::Refused(message)
            | Self::Unreachable(message)
            | Self::Usage(message) => f.write_str(message),
        }
    }
}

impl From<Error> for ExitCode {
    fn from(error: Error) -> Self {
        Self::from(match error {
            Error::BrokenPipe | Error::Refused(_) => 1,
            Error::Usage(_) => 2,
            Error::Unreachable(_) => 3,
            Error::NotAuthorized(_) => 4,
        })
    }
}

impl From<DaemonError> for Error {
    fn from(error: DaemonError) -> Self {
        match error {
            DaemonError::Bus(error) => error.into(),
            DaemonError::NotAuthorized(message) => {
                Self::NotAuthorized(format!("not authorized: {message}"))
            }
            DaemonError::AlreadyEnrolled(message)
            | DaemonError::InvalidCode(message)
            | DaemonError::Expired(message)
            | DaemonError::Internal(message)
            | DaemonError::InvalidArgument(message)
            | DaemonError::LimitsExceeded(message)
            | DaemonError::NoSuchUser(message)
            | DaemonError::NotEnrolled(message)
            | DaemonError::StoreCorrupt(message)
            | DaemonError::StoreUnavailable(message)
            | DaemonError::Throttled(message) => Self::Refused(message),
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
                | fdo::Error::Timeout(_) => Self::Unreachable(
                    "totpd does not answer: it cannot start, or does not run; its journal says why \
                     (journalctl -t totpd), and so does totpctl doctor as root"
                        .into(),
                ),
                inner => Self::Unreachable(format!(
                    "totpd does not answer: {inner}; see its journal (journalctl -t totpd)"
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
            _ => Self::Refused(format!("cannot write the output: {error}")),
        }
    }
}
