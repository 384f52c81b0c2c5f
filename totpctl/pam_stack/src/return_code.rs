//! Return codes of PAM, by their names in a stack.

use std::fmt;

/// A return code of PAM.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct ReturnCode(u8);

impl ReturnCode {
    /// The module accepts.
    pub const SUCCESS: Self = Self(0);
    /// libpam cannot open the module.
    pub const OPEN_ERR: Self = Self(1);
    /// The module does not have the function.
    pub const SYMBOL_ERR: Self = Self(2);
    /// The module or its options are faulty.
    pub const SERVICE_ERR: Self = Self(3);
    /// No module accepted (libpam itself returns it).
    pub const PERM_DENIED: Self = Self(6);
    /// Not authenticated.
    pub const AUTH_ERR: Self = Self(7);
    /// The module cannot reach its authority.
    pub const AUTHINFO_UNAVAIL: Self = Self(9);
    /// Too many tries.
    pub const MAXTRIES: Self = Self(11);
    /// The password is right and has to be changed.
    pub const NEW_AUTHTOK_REQD: Self = Self(12);
    /// The conversation failed.
    pub const CONV_ERR: Self = Self(19);
    /// The module has no opinion.
    pub const IGNORE: Self = Self(25);
    /// libpam itself stopped.
    pub const ABORT: Self = Self(26);
    /// The module is not installed.
    pub const MODULE_UNKNOWN: Self = Self(28);

    /// The number of return codes.
    pub const COUNT: usize = NAMES.len();

    /// Returns all of them, in the order of their numbers.
    pub fn all() -> impl Iterator<Item = Self> {
        (0_u8..).take(Self::COUNT).map(Self)
    }

    /// Returns the number that libpam uses.
    #[must_use]
    pub fn number(self) -> usize {
        usize::from(self.0)
    }

    /// Returns the name that a stack uses in brackets.
    #[must_use]
    pub fn name(self) -> &'static str {
        NAMES.get(self.number()).copied().unwrap_or("?")
    }

    /// Splits a name off the start of `text`.
    pub(crate) fn at_start_of(text: &str) -> Option<(Self, &str)> {
        Self::all().find_map(|code| Some((code, text.strip_prefix(code.name())?)))
    }
}

impl fmt::Display for ReturnCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

const NAMES: [&str; 32] = [
    "success",
    "open_err",
    "symbol_err",
    "service_err",
    "system_err",
    "buf_err",
    "perm_denied",
    "auth_err",
    "cred_insufficient",
    "authinfo_unavail",
    "user_unknown",
    "maxtries",
    "new_authtok_reqd",
    "acct_expired",
    "session_err",
    "cred_unavail",
    "cred_expired",
    "cred_err",
    "no_module_data",
    "conv_err",
    "authtok_err",
    "authtok_recover_err",
    "authtok_lock_busy",
    "authtok_disable_aging",
    "try_again",
    "ignore",
    "abort",
    "authtok_expired",
    "module_unknown",
    "bad_item",
    "conv_again",
    "incomplete",
];
