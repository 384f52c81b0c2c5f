//! The source of the next code of a factor: an event or the clock.

use core::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

/// The source of the next code of a factor.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Kind {
    /// An event (RFC 4226): each press of the token increments the counter.
    Hotp,
    /// The clock (RFC 6238): the time step changes every `period` seconds (15 to 300).
    Totp {
        /// Seconds in a time step.
        period: u32,
    },
}

impl Kind {
    /// Returns the name that `otpauth` URIs and the bus use.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Hotp => "hotp",
            Self::Totp { .. } => "totp",
        }
    }

    /// Returns the seconds in a time step; `None` for HOTP.
    #[must_use]
    pub fn period(self) -> Option<u32> {
        match self {
            Self::Hotp => None,
            Self::Totp { period } => Some(period),
        }
    }
}

/// The number of seconds that a time step may have.
pub const PERIOD: RangeInclusive<u32> = 15..=300;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_totp_has_a_period() {
        for (kind, name, period) in
            [(Kind::Hotp, "hotp", None), (Kind::Totp { period: 60 }, "totp", Some(60))]
        {
            assert_eq!((kind.name(), kind.period()), (name, period));
        }
    }
}
