//! Why an entry was left.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Why an entry was left. It prints as a sentence, and holds no secret.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// The hash is none of those of RFC 6238.
    Algorithm(String),
    /// The clock of the phone is off by more than a login can follow.
    ClockTooFar(i64),
    /// The counter is beyond 2^63.
    CounterTooLarge,
    /// The entry lacks the counter of HOTP.
    CounterUnknown,
    /// The codes have a number of digits that cannot be used.
    Digits(String),
    /// The other program has it disabled.
    Disabled,
    /// The entry cannot be read. The text says what of it.
    Malformed(String),
    /// Neither TOTP nor HOTP, but this.
    NotOath(String),
    /// The seed is encrypted without a MAC, so that nobody can tell whether it was changed.
    NoMac,
    /// Only scratch codes are accepted.
    NoCodes,
    /// There is no seed.
    NoSeed,
    /// The period cannot be used.
    Period(String),
    /// The seed has too many bytes.
    SeedTooLong(u64),
    /// The seed has too few bits.
    SeedTooShort(u64),
    /// The seed cannot be read. The sentence says why.
    SeedUnreadable(String),
    /// The program that wrote the entry passes over its type itself.
    SkippedThere(String),
    /// The seed or its parts were changed: the MAC differs.
    Tampered,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Algorithm(name) => {
                write!(f, "its hash is {name:?}; only SHA1, SHA256 and SHA512 are possible")
            }
            Self::ClockTooFar(seconds) => write!(
                f,
                "the clock of the phone is {seconds} seconds off; more than an hour cannot be followed"
            ),
            Self::CounterTooLarge => f.write_str("its counter is greater than 2^63"),
            Self::CounterUnknown => f.write_str(
                "its counter is not given, so used codes would be accepted again; export it with the counter",
            ),
            Self::Digits(digits) => {
                write!(f, "its codes have {digits:?} digits; only 6 to 8 are possible")
            }
            Self::Disabled => f.write_str("it is disabled there"),
            Self::Malformed(what) => write!(f, "it cannot be read: {what}"),
            Self::NotOath(name) => write!(f, "it is {name:?}, neither TOTP nor HOTP"),
            Self::NoMac => f.write_str("its seed is encrypted without a MAC, so a change could not be seen"),
            Self::NoCodes => f.write_str("it accepts scratch codes alone: it has no TOTP_AUTH and no HOTP_COUNTER"),
            Self::NoSeed => f.write_str("it has no seed"),
            Self::Period(period) => {
                write!(f, "its period is {period:?}; only 15 to 300 seconds are possible")
            }
            Self::SeedTooLong(bytes) => {
                write!(f, "its seed has {bytes} bytes; at most 64 are possible")
            }
            Self::SeedTooShort(bits) => write!(f, "its seed has {bits} bits; at least 80 are needed"),
            Self::SeedUnreadable(why) => write!(f, "its seed cannot be read: {why}"),
            Self::SkippedThere(name) => {
                write!(f, "its type is {name:?}, which its own program passes over")
            }
            Self::Tampered => f.write_str("its MAC differs: the file was changed, or the key is wrong"),
        }
    }
}
