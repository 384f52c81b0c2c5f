//! The errors of the contract.

use crate::dictionary::InvalidEntry;

/// Why totpd did not do what it was asked, as far as the caller may know.
///
/// The text says what is wrong and what to do, and never holds a seed or a code.
#[derive(Debug, zbus::DBusError)]
#[zbus(prefix = "org.totpd.Totp1.Error")]
pub enum Error {
    /// The bus failed, not the daemon.
    #[zbus(error)]
    Bus(zbus::Error),
    /// There is a verified factor, and no room for another, or one with the same secret; or the user was to be
    /// left alone.
    AlreadyEnrolled(String),
    /// The code is wrong, used, or no code at all.
    InvalidCode(String),
    /// The factor waited too long for its first code, or got too many wrong ones: it is gone.
    Expired(String),
    /// The daemon met something that it did not expect.
    Internal(String),
    /// An argument is out of range, of a wrong type, or unknown.
    InvalidArgument(String),
    /// The caller has too many calls under way, or the call is too large.
    LimitsExceeded(String),
    /// The caller may not do that.
    NotAuthorized(String),
    /// The user has no such factor.
    NotEnrolled(String),
    /// The system knows no such user.
    NoSuchUser(String),
    /// A record of the store is damaged or was changed by somebody else.
    StoreCorrupt(String),
    /// The store could not be read or written.
    StoreUnavailable(String),
    /// Too many wrong codes: the attempt was not looked at.
    Throttled(String),
}

impl From<InvalidEntry> for Error {
    fn from(invalid: InvalidEntry) -> Self {
        Self::InvalidArgument(invalid.to_string())
    }
}
