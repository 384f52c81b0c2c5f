//! Why a command did not do what it was asked, and the exit status that says so.

use std::fmt;
use std::io;
use std::process::ExitCode;

use totpd_interface::Error as DaemonError;

/// Why a command failed: a sentence, and what to do.
#[derive(Debug)]
pub(crate) enum Error {
    /// The caller may not do that (4).
    NotAuthorized(String),
    /// Whoever reads the output has gone; nothing is left to say (1).
    BrokenPipe,
    /// Refused, or gone wrong (1).
    Refused(String),
    /// The daemon or the bus is not there (3).
    Unreachable(String),
    /// The command line cannot be meant (2).
    Usage(String),
}

impl Error {
    /// A refusal in these words.
    pub(crate) fn refused(why: impl Into<String>) -> Self {
        Self::Refused(why.into())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BrokenPipe => Ok(()),
            Self::NotAuthorized(why)
            | Self::Refused(why)
            | Self::Unreachable(why)
            | Self::Usage(why) => f.write_str(why),
        }
    }
}

impl From<Error> for ExitCode {
    fn from(failure: Error) -> Self {
        Self::from(match failure {
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
            DaemonError::NotAuthorized(why) => {
                Self::NotAuthorized(format!("not authorized: {why}"))
            }
            DaemonError::AlreadyEnrolled(why)
            | DaemonError::InvalidCode(why)
            | DaemonError::Expired(why)
            | DaemonError::Internal(why)
            | DaemonError::InvalidArgument(why)
            | DaemonError::LimitsExceeded(why)
            | DaemonError::NoSuchUser(why)
            | DaemonError::NotEnrolled(why)
            | DaemonError::StoreCorrupt(why)
            | DaemonError::StoreUnavailable(why)
            | DaemonError::Throttled(why) => Self::Refused(why),
        }
    }
}

impl From<zbus::Error> for Error {
    fn from(error: zbus::Error) -> Self {
        use zbus::fdo;
        match &error {
            zbus::Error::FDO(inner) => match &**inner {
                fdo::Error::AccessDenied(why) => {
                    Self::NotAuthorized(format!("the system bus does not allow that: {why}"))
                }
                fdo::Error::ServiceUnknown(_) | fdo::Error::SpawnServiceNotFound(_) => {
                    Self::Unreachable(
                        "totpd is not installed, or the system bus does not know it yet: reload \
                         the bus (systemctl reload dbus)"
                            .into(),
                    )
                }
                inner => Self::Unreachable(format!(
                    "totpd does not answer: {inner}; see its journal (journalctl -t totpd)"
                )),
            },
            other => Self::Unreachable(format!("totpd does not answer: {other}")),
        }
    }
}

impl From<io::Error> for Error {
    /// Of writing the output; whoever reads a file gives it words of its own.
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::BrokenPipe,
            _ => Self::Refused(format!("the output cannot be written: {error}")),
        }
    }
}
