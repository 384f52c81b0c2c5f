//! How far a factor has come.

use serde::{Deserialize, Serialize};

use crate::factor::token::TokenDigest;

/// How far a factor has come.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Status {
    /// Switched off by an administrator.
    Disabled,
    /// Waits for its first right code until `expires` (seconds since 1970).
    Unverified {
        /// When it is dropped.
        expires: u64,
        /// Wrong codes so far.
        wrong_codes: u32,
    },
    /// Opens the door.
    Verified,
    /// Opened the door until it came back from a backup: codes of its counter may have been used
    /// that the record does not know of, so it opens nothing before it is resynchronized.
    Unsynchronized,
    /// Made at a login that gave its right first code, and pending until libpam asks for the credentials of
    /// that login.
    AwaitsLogin {
        /// When it is dropped, in seconds since 1970.
        expires: u64,
        /// What the login has to show.
        token: TokenDigest,
    },
}

impl Status {
    /// The word that the bus uses.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Disabled => "disabled",
            Self::Unsynchronized => "unsynchronized",
            Self::AwaitsLogin { .. } | Self::Unverified { .. } => "unverified",
            Self::Verified => "verified",
        }
    }
}
