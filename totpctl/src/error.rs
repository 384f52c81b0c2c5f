//! Why a command did not do what it was asked, and the exit status that says so.

use std::fmt;
use std::io;
use std::process::ExitCode;

use totpd_interface::Error;

/// Why a command failed: a sentence, and what to do.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The caller may not do that (4).
    NotAuthorized(String),
    /// Whoever reads the output has gone; nothing is left to say (1).
    NobodyReads,
    /// Refused, or gone wrong (1).
    Refused(String),
    /// The daemon or the bus is not there (3).
    Unreachable(String),
    /// The command line cannot be meant (2).
    Usage(String),
}

impl Failure {
    /// A refusal in these words.
    pub(crate) fn refused(why: impl Into<String>) -> Self {
        Self::Refused(why.into())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NobodyReads => Ok(()),
            Self::NotAuthorized(why)
            | Self::Refused(why)
            | Self::Unreachable(why)
            | Self::Usage(why) => f.write_str(why),
        }
    }
}

impl From<Failure> for ExitCode {
    fn from(failure: Failure) -> Self {
        Self::from(match failure {
            Failure::NobodyReads | Failure::Refused(_) => 1,
            Failure::Usage(_) => 2,
            Failure::Unreachable(_) => 3,
            Failure::NotAuthorized(_) => 4,
        })
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error {
            Error::Bus(error) => error.into(),
            Error::NotAuthorized(why) => Self::NotAuthorized(format!("not authorized: {why}")),
            Error::AlreadyEnrolled(why)
            | Error::InvalidCode(why)
            | Error::Expired(why)
            | Error::Internal(why)
            | Error::InvalidArgument(why)
            | Error::LimitsExceeded(why)
            | Error::NoSuchUser(why)
            | Error::NotEnrolled(why)
            | Error::StoreCorrupt(why)
            | Error::StoreUnavailable(why)
            | Error::Throttled(why) => Self::Refused(why),
        }
    }
}

impl From<zbus::Error> for Failure {
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

impl From<io::Error> for Failure {
    /// Of writing the output; whoever reads a file gives it words of its own.
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::NobodyReads,
            _ => Self::Refused(format!("the output cannot be written: {error}")),
        }
    }
}
