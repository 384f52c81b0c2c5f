//! What totpd says on the system bus: names, wire types, errors and the client proxies.
//!
//! Everything here is a promise to installed clients. Adding is fine; changing or removing needs
//! `Totp2`. There is no logic here.

use std::collections::HashMap;

use zbus::{Fd, OwnedVariant};

pub mod arguments;
pub mod wire;

/// The well-known name that activates the daemon.
pub const SERVICE: &str = "org.totpd.Totp1";
/// The one object that it serves.
pub const PATH: &str = "/org/totpd/Totp1";
/// The interface that it serves to PAM modules, on the bus and on the private socket.
pub const LOGIN: &str = "org.totpd.Totp1.Login";
/// The interface that it serves to totpctl and other front ends, likewise.
pub const MANAGER: &str = "org.totpd.Totp1.Manager";
/// The interface that it serves to root on the private socket alone: descriptors pass there.
pub const STORE: &str = "org.totpd.Totp1.Store";
/// The only bus that is ever asked. It is a constant because in a setuid program every
/// environment variable, `DBUS_SYSTEM_BUS_ADDRESS` among them, belongs to the caller.
pub const SYSTEM_BUS: &str = "unix:path=/run/dbus/system_bus_socket";
/// Its socket.
pub const SYSTEM_BUS_SOCKET: &str = "/run/dbus/system_bus_socket";

/// Where the daemon serves root without a bus: D-Bus peer to peer, mode 0600.
pub const PRIVATE_SOCKET: &str = "/run/totpd/private";

/// The options of the PAM module; those that end in `=` have a value. Another one refuses every login.
pub const MODULE_OPTIONS: [&str; 12] = [
    "debug",
    "echo",
    "enroll",
    "forward_pass",
    "show_names",
    "nodelay",
    "nullok",
    "prompt=",
    "quiet",
    "timeout=",
    "try_first_pass",
    "use_first_pass",
];

/// Options of the PAM module that do not go together, and why. A line with both refuses every login.
pub const CONFLICTING_OPTIONS: [(&str, &str, &str); 3] = [
    ("enroll", "forward_pass", "enroll needs a prompt of its own, and forward_pass leaves none"),
    (
        "show_names",
        "forward_pass",
        "show_names is for behind a password, and forward_pass asks before it",
    ),
    (
        "nullok",
        "forward_pass",
        "forward_pass asks before the password, and with nullok it would tell strangers who has no factor",
    ),
];

/// A dictionary `a{sv}`: a context, options, or details.
pub type Dictionary = HashMap<String, OwnedVariant>;

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

/// What `Begin` may answer.
pub mod action {
    /// Ask for a code.
    pub const PROMPT: &str = "prompt";
    /// Show the new factor in the details, and ask for its first code.
    pub const ENROLL: &str = "enroll";
    /// No code is needed here.
    pub const SKIP: &str = "skip";
}

/// What `Verify` may answer.
pub mod verdict {
    /// The code was right, and is used up.
    pub const APPROVED: &str = "approved";
    /// The code was not right.
    pub const DENIED: &str = "denied";
    /// Too many wrong codes: the code was not looked at, and is not used up.
    pub const THROTTLED: &str = "throttled";
}
