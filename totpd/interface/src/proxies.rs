//! Clients of the interfaces, as zbus makes them.

use zbus::Fd;

use crate::error::Error;
use crate::variants::Dictionary;

/// The interface for PAM modules. Root asks about any user, other callers about themselves.
#[zbus::proxy(
    interface = "org.totpd.Totp1.Login",
    default_service = "org.totpd.Totp1",
    default_path = "/org/totpd/Totp1"
)]
pub trait Login {
    /// Returns the action for `user` at this login (`prompt`, `skip` or `enroll`), and details.
    fn begin(&self, user: &str, context: &Dictionary) -> Result<(String, Dictionary), Error>;

    /// Uses one attempt of `user` for `code`. Returns `approved`, `denied` or `throttled`, and
    /// details.
    ///
    /// The daemon approves a code at most once, also if it or the host crashes.
    fn verify(
        &self,
        user: &str,
        code: &str,
        context: &Dictionary,
    ) -> Result<(String, Dictionary), Error>;
}

/// The interface for root on the private socket, for the store as a whole. It runs one task at a
/// time.
#[zbus::proxy(
    interface = "org.totpd.Totp1.Store",
    default_service = "org.totpd.Totp1",
    default_path = "/org/totpd/Totp1"
)]
pub trait Store {
    /// Writes all users to `target`, encrypted by age. Returns details.
    fn backup(&self, target: Fd<'_>, options: &Dictionary) -> Result<Dictionary, Error>;

    /// Replaces the store by the backup in `source`. Returns details.
    fn restore(&self, source: Fd<'_>, options: &Dictionary) -> Result<Dictionary, Error>;

    /// Seals every record with a new key. Returns details.
    fn rekey(&self) -> Result<Dictionary, Error>;

    /// Reads and unseals every record. Returns details.
    fn verify(&self) -> Result<Dictionary, Error>;

    /// Returns the fingerprint of the key with which this store signs backups.
    fn fingerprint(&self) -> Result<String, Error>;

    /// Returns the number of records that the current task has processed, and their total (0:
    /// unknown).
    fn progress(&self) -> Result<(u64, u64), Error>;
}
