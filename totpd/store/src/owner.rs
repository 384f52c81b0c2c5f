//! The trusted owner of the store's directory and its key files.

/// The user who must own the directory and the key files.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Owner(u32);

impl Owner {
    /// Root, for the installed daemon.
    pub const ROOT: Self = Self(0);

    /// Returns the user with this uid. Tests and benchmarks pass the uid that they run as.
    #[must_use]
    pub const fn from_uid(uid: u32) -> Self {
        Self(uid)
    }

    /// Returns the uid.
    #[must_use]
    pub const fn uid(self) -> u32 {
        self.0
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Returns the user who runs the tests.
    pub(crate) fn this_user() -> Owner {
        Owner::from_uid(nix::unistd::geteuid().as_raw())
    }
}
