//! What moves the code of a factor on.

use core::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

/// What moves the code on.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Kind {
    /// An event (RFC 4226): each press of the token counts one up.
    Hotp,
    /// The clock (RFC 6238): one step every `period` seconds (15 to 300).
    Totp {
        /// Seconds in a time step.
        period: u32,
    },
}

impl Kind {
    /// The name that `otpauth` URIs and the bus use.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Hotp => "hotp",
            Self::Totp { .. } => "totp",
        }
    }

    /// Seconds in a time step; nothing for a token that counts presses.
    #[must_use]
    pub fn period(self) -> Option<u32> {
        match self {
            Self::Hotp => None,
            Self::Totp { period } => Some(period),
        }
    }
}

/// Seconds that a time step may have.
pub const PERIOD: RangeInclusive<u32> = 15..=300;
