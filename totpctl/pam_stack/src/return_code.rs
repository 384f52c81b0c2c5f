//! What a module returns, by the names that stand in brackets in a stack.

use std::fmt;

/// A return code of PAM.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Code(u8);

impl Code {
    /// The code was right, the user may go on.
    pub const SUCCESS: Self = Self(0);
    /// libpam cannot open the module.
    pub const OPEN_ERR: Self = Self(1);
    /// The module lacks a function.
    pub const SYMBOL_ERR: Self = Self(2);
    /// Something is wrong with the module or its options.
    pub const SERVICE_ERR: Self = Self(3);
    /// What libpam returns where nothing said yes.
    pub const PERM_DENIED: Self = Self(6);
    /// Not authenticated.
    pub const AUTH_ERR: Self = Self(7);
    /// Whoever could tell is not there.
    pub const AUTHINFO_UNAVAIL: Self = Self(9);
    /// Too many tries.
    pub const MAXTRIES: Self = Self(11);
    /// Right, but the password is to be changed.
    pub const NEW_AUTHTOK_REQD: Self = Self(12);
    /// The conversation failed.
    pub const CONV_ERR: Self = Self(19);
    /// The module has no opinion.
    pub const IGNORE: Self = Self(25);
    /// libpam itself gave up.
    pub const ABORT: Self = Self(26);
    /// The module is not there.
    pub const MODULE_UNKNOWN: Self = Self(28);

    /// How many there are.
    pub const COUNT: usize = NAMES.len();

    /// All that there are, in the order of their numbers.
    pub fn all() -> impl Iterator<Item = Self> {
        (0_u8..).take(Self::COUNT).map(Self)
    }

    /// As libpam numbers it.
    #[must_use]
    pub fn number(self) -> usize {
        usize::from(self.0)
    }

    /// As it stands in brackets.
    #[must_use]
    pub fn name(self) -> &'static str {
        NAMES.get(self.number()).copied().unwrap_or("?")
    }

    /// The code whose name `text` begins with, and what comes after it.
    pub(crate) fn at_start_of(text: &str) -> Option<(Self, &str)> {
        Self::all().find_map(|code| Some((code, text.strip_prefix(code.name())?)))
    }
}

impl fmt::Display for Code {
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
