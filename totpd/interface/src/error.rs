//! The errors of the contract.

use crate::dictionary::InvalidEntry;

/// The reason why totpd refused a request, in the part that the caller may know.
///
/// The text names the fault and the remedy, and never contains a seed or a code.
#[derive(Debug, zbus::DBusError)]
#[zbus(prefix = "org.totpd.Totp1.Error")]
pub enum Error {
    /// A failure of the bus, not of the daemon.
    #[zbus(error)]
    Bus(zbus::Error),
    /// The user has the maximum number of factors, or a factor with the same secret. Or the caller
    /// wanted to skip enrolled users.
    AlreadyEnrolled(String),
    /// The code is wrong, replayed or malformed.
    InvalidCode(String),
    /// The pending factor expired or got too many wrong codes, and was dropped.
    Expired(String),
    /// An internal error of the daemon.
    Internal(String),
    /// An argument is unknown, out of range, or of a wrong type.
    InvalidArgument(String),
    /// The files of the configuration have a fault. The rules of before stay in force.
    InvalidConfiguration(String),
    /// The caller has too many open calls, or the call is too large.
    LimitsExceeded(String),
    /// The caller may not do that.
    NotAuthorized(String),
    /// The user has no such factor.
    NotEnrolled(String),
    /// The system knows no such user.
    NoSuchUser(String),
    /// A record of the store is damaged or was changed by another program.
    StoreCorrupt(String),
    /// The store cannot be read or written.
    StoreUnavailable(String),
    /// The user gave too many wrong codes, and the daemon did not check the code.
    Throttled(String),
}

impl From<InvalidEntry> for Error {
    fn from(invalid: InvalidEntry) -> Self {
        Self::InvalidArgument(invalid.to_string())
    }
}

#[cfg(test)]
mod tests {
    use zbus::DBusError as _;

    use super::*;

    #[test]
    fn names_of_errors_start_with_the_prefix() {
        let error = Error::StoreUnavailable(String::new());
        assert_eq!(error.name().strip_prefix(crate::ERROR_PREFIX), Some("StoreUnavailable"));
    }
}
