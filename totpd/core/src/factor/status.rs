//! The status of a factor.

use serde::{Deserialize, Serialize};

use crate::factor::login_token::TokenDigest;

/// The status of a factor. Only a verified one is accepted at a login.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Status {
    /// An administrator disabled it.
    Disabled,
    /// A factor that waits for its first right code.
    Unverified {
        /// The time of its removal, in seconds since 1970.
        expires: u64,
        /// The number of wrong first codes.
        wrong_codes: u32,
    },
    /// Its codes are accepted.
    Verified,
    /// A factor that was restored from a backup. Codes may be used that the record does not know.
    /// Its codes are accepted after a resynchronization.
    Unsynchronized,
    /// A login made it and gave the right first code. It stays pending until libpam asks for the
    /// credentials of that login.
    AwaitsLogin {
        /// The time of its removal, in seconds since 1970.
        expires: u64,
        /// The digest of the token that the login must present.
        token: TokenDigest,
    },
}

impl Status {
    /// Returns the word that the bus uses.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::factor::{Factor, FactorId, Kind, LoginToken};
    use crate::fixtures::verified;
    use crate::user_name::UserName;

    #[test]
    fn every_status_has_its_word_and_what_it_waits_for() {
        let user = UserName::parse("alice").unwrap();
        let token = LoginToken::new([7; 16], FactorId::from_random([1; 5]), user).digest("sshd");
        for (status, word, is_verified, is_pending, awaits_first_code) in [
            (Status::Disabled, "disabled", false, false, false),
            (Status::Unsynchronized, "unsynchronized", false, false, false),
            (Status::Verified, "verified", true, false, false),
            (Status::Unverified { expires: 9, wrong_codes: 0 }, "unverified", false, true, true),
            (Status::AwaitsLogin { expires: 9, token }, "unverified", false, true, false),
        ] {
            let factor = Factor { status, ..verified(Kind::Hotp, None) };
            assert_eq!(status.name(), word);
            assert_eq!(factor.is_verified(), is_verified, "{word}");
            assert_eq!(factor.is_pending(), is_pending, "{word}");
            assert_eq!(factor.awaits_first_code(), awaits_first_code, "{status:?}");
        }
    }
}
