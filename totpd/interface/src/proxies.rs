//! Clients of the interfaces, as zbus makes them.

use zbus::Fd;

use crate::error::Error;
use crate::variants::Dictionary;

/// For PAM modules: root asks for any user, everybody else for itself.
#[zbus::proxy(
    interface = "org.totpd.Totp1.Login",
    default_service = "org.totpd.Totp1",
    default_path = "/org/totpd/Totp1"
)]
pub trait Login {
    /// What to do with `user` at this login: `prompt`, `skip` or `enroll`, and its details.
    fn begin(&self, user: &str, context: &Dictionary) -> Result<(String, Dictionary), Error>;

    /// Spends one attempt of `user` on `code`: `approved`, `denied` or `throttled`, and details.
    ///
    /// A code is approved at most once, and only after that is on disk.
    fn verify(
        &self,
        user: &str,
        code: &str,
        context: &Dictionary,
    ) -> Result<(String, Dictionary), Error>;
}

/// For totpctl and other front ends.
#[zbus::proxy(
    interface = "org.totpd.Totp1.Manager",
    default_service = "org.totpd.Totp1",
    default_path = "/org/totpd/Totp1"
)]
pub trait Manager {
    /// Makes a factor; answers its id, its `otpauth` URI and details.
    #[zbus(allow_interactive_auth)]
    fn enroll(
        &self,
        user: &str,
        options: &Dictionary,
    ) -> Result<(String, String, Dictionary), Error>;

    /// Gives the first code of a new factor, which is verified from then on; answers recovery
    /// codes.
    #[zbus(allow_interactive_auth)]
    fn confirm(&self, user: &str, factor: &str, code: &str) -> Result<Vec<String>, Error>;

    /// New recovery codes in the place of all old ones.
    #[zbus(allow_interactive_auth)]
    fn recovery_codes(&self, user: &str, code: &str) -> Result<Vec<String>, Error>;

    /// Changes what is no secret of a factor.
    #[zbus(allow_interactive_auth)]
    fn set_factor(
        &self,
        user: &str,
        factor: &str,
        changes: &Dictionary,
        code: &str,
    ) -> Result<(), Error>;

    /// Removes one factor, or with an empty id all of them.
    #[zbus(allow_interactive_auth)]
    fn remove(&self, user: &str, factor: &str, code: &str) -> Result<(), Error>;

    /// Forgets the wrong codes of `user`.
    #[zbus(allow_interactive_auth)]
    fn unlock(&self, user: &str) -> Result<(), Error>;

    /// Finds the counter of a token by two codes in a row.
    #[zbus(allow_interactive_auth)]
    fn resync(&self, user: &str, factor: &str, codes: &[&str]) -> Result<(), Error>;

    /// The state of one user, without a secret.
    #[zbus(allow_interactive_auth)]
    fn get_user(&self, user: &str) -> Result<Dictionary, Error>;

    /// Users after the name `after`, in name order, at most `limit`.
    #[zbus(allow_interactive_auth)]
    fn list_users(&self, after: &str, limit: u32) -> Result<Vec<Dictionary>, Error>;

    /// The version of the daemon.
    #[zbus(property(emits_changed_signal = "const"))]
    fn version(&self) -> zbus::Result<String>;
}

/// For root on the private socket: the store as a whole. One task at a time.
#[zbus::proxy(
    interface = "org.totpd.Totp1.Store",
    default_service = "org.totpd.Totp1",
    default_path = "/org/totpd/Totp1"
)]
pub trait Store {
    /// Writes all users into `target`, sealed by age; answers details.
    fn backup(&self, target: Fd<'_>, options: &Dictionary) -> Result<Dictionary, Error>;

    /// Puts the backup in `source` in the place of the store; answers details.
    fn restore(&self, source: Fd<'_>, options: &Dictionary) -> Result<Dictionary, Error>;

    /// Re-seals every record under a new key; answers details.
    fn rekey(&self) -> Result<Dictionary, Error>;

    /// Reads and unseals every record; answers details.
    fn verify(&self) -> Result<Dictionary, Error>;

    /// By which fingerprint another host knows that this store signed a backup.
    fn fingerprint(&self) -> Result<String, Error>;

    /// How many records the present task is through with, and of how many (0: not known).
    fn progress(&self) -> Result<(u64, u64), Error>;
}
