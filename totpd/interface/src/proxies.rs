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
    /// The daemon approves a code at most once, and only after the approval is on disk.
    fn verify(
        &self,
        user: &str,
        code: &str,
        context: &Dictionary,
    ) -> Result<(String, Dictionary), Error>;
}

/// The interface for totpctl and other front ends.
#[zbus::proxy(
    interface = "org.totpd.Totp1.Manager",
    default_service = "org.totpd.Totp1",
    default_path = "/org/totpd/Totp1"
)]
pub trait Manager {
    /// Creates a factor. Returns its id, its `otpauth` URI and details.
    #[zbus(allow_interactive_auth)]
    fn enroll(
        &self,
        user: &str,
        options: &Dictionary,
    ) -> Result<(String, String, Dictionary), Error>;

    /// Confirms a new factor by its first code. Returns recovery codes.
    #[zbus(allow_interactive_auth)]
    fn confirm(&self, user: &str, factor: &str, code: &str) -> Result<Vec<String>, Error>;

    /// Replaces all recovery codes. Returns the new ones.
    #[zbus(allow_interactive_auth)]
    fn recovery_codes(&self, user: &str, code: &str) -> Result<Vec<String>, Error>;

    /// Changes the name, purpose, limits or state of a factor.
    #[zbus(allow_interactive_auth)]
    fn set_factor(
        &self,
        user: &str,
        factor: &str,
        changes: &Dictionary,
        code: &str,
    ) -> Result<(), Error>;

    /// Removes one factor, or all factors if the id is empty.
    #[zbus(allow_interactive_auth)]
    fn remove(&self, user: &str, factor: &str, code: &str) -> Result<(), Error>;

    /// Clears the count of wrong codes of `user`.
    #[zbus(allow_interactive_auth)]
    fn unlock(&self, user: &str) -> Result<(), Error>;

    /// Finds the counter of a token by two consecutive codes.
    #[zbus(allow_interactive_auth)]
    fn resync(&self, user: &str, factor: &str, codes: &[&str]) -> Result<(), Error>;

    /// Returns the state of one user, without secrets.
    #[zbus(allow_interactive_auth)]
    fn get_user(&self, user: &str) -> Result<Dictionary, Error>;

    /// Returns at most `limit` users behind the name `after`, in name order.
    #[zbus(allow_interactive_auth)]
    fn list_users(&self, after: &str, limit: u32) -> Result<Vec<Dictionary>, Error>;

    /// Returns the version of the daemon.
    #[zbus(property(emits_changed_signal = "const"))]
    fn version(&self) -> zbus::Result<String>;
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
