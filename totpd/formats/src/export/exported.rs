//! What an export gives, and why there is none.

use std::fmt;

use totpd_core::factor::Factor;
use totpd_core::otp::Algorithm;
use zeroize::Zeroizing;

use crate::civil_time;

/// A factor as another program keeps it.
#[derive(Debug)]
pub struct Exported {
    /// The text. It holds the seed.
    pub text: Zeroizing<String>,
    /// What the person who goes back must know.
    pub notes: Vec<Note>,
}

/// What the person who goes back must know. It prints as a sentence.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Note {
    /// The other program skips the code of counter 0.
    CounterZeroSkipped,
    /// The PAM line of the other program must say the digits of a code.
    DigitsInPamLine(u8),
    /// The other program does not know that the clock of the phone is off.
    DriftLost,
    /// The other program has no counterpart of a setting.
    SettingLost(&'static str),
    /// Until this time (seconds since 1970) the other program accepts codes that were used here.
    UsedCodesOpen {
        /// The first second at which it accepts none.
        until: u64,
    },
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CounterZeroSkipped => f.write_str("the first code of the token is refused there; the next one is accepted"),
            Self::DigitsInPamLine(digits) => {
                write!(f, "its codes have {digits} digits; say digits={digits} in the PAM line there")
            }
            Self::DriftLost => f.write_str("the clock of the phone is off, which cannot be told there; its codes may be refused"),
            Self::SettingLost(name) => write!(f, "{name} cannot be told there"),
            Self::UsedCodesOpen { until } => {
                let until = civil_time::format(i64::try_from(*until).unwrap_or(i64::MAX / 2));
                write!(f, "codes that were used here are accepted there until {until}Z; switch later")
            }
        }
    }
}

/// Why a factor cannot be kept by the other program. It prints as a sentence.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Unwritable {
    /// The other program knows SHA1 alone.
    Algorithm(Algorithm),
    /// The other program knows other numbers of digits.
    Digits(u8),
    /// The clock of the phone is off by more than the other program accepts.
    Drift(i16),
    /// The other program knows other periods.
    Period(u32),
    /// The other program takes shorter seeds.
    SeedTooLong(usize),
    /// The other program cannot hold this user name.
    UserName,
}

impl fmt::Display for Unwritable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Algorithm(algorithm) => {
                write!(f, "its hash is {}; only SHA1 is possible there", algorithm.name())
            }
            Self::Digits(digits) => {
                write!(f, "its codes have {digits} digits, which is not possible there")
            }
            Self::Drift(steps) => write!(
                f,
                "the clock of the phone is {steps} time steps off, which is too far there"
            ),
            Self::Period(period) => {
                write!(f, "its period is {period} seconds, which is not possible there")
            }
            Self::SeedTooLong(bytes) => {
                write!(f, "its seed has {bytes} bytes; at most 32 are possible there")
            }
            Self::UserName => f.write_str("the user name has a blank, which is not possible there"),
        }
    }
}

impl std::error::Error for Unwritable {}

/// Checks that a factor has the hash that old programs have.
pub(super) fn check_algorithm(factor: &Factor) -> Result<(), Unwritable> {
    match factor.algorithm {
        Algorithm::Sha1 => Ok(()),
        other => Err(Unwritable::Algorithm(other)),
    }
}

/// Returns the notes on restrictions, which no other program has.
pub(super) fn lost_restrictions(factor: &Factor) -> Vec<Note> {
    let mut notes = Vec::new();
    if factor.restrictions.not_before.is_some() || factor.restrictions.not_after.is_some() {
        notes.push(Note::SettingLost("the time in which the factor is valid"));
    }
    if !factor.restrictions.services.is_empty() {
        notes.push(Note::SettingLost("the list of services"));
    }
    notes
}
