//! What of an entry was taken otherwise than it stands there.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What of an entry was changed or left. It prints as a sentence, and holds no secret.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Change {
    /// A value that the entry lacks has the value that apps assume.
    Assumed {
        /// The name of the value.
        value: String,
        /// What is assumed.
        is: String,
    },
    /// The clock of the phone is off by these time steps, which is kept.
    DriftKept(i16),
    /// Two parts of the entry name the issuer, and they differ.
    IssuerDiffers,
    /// The last code is known by its time alone, so all codes up to that time count as used.
    LastCodeByTime,
    /// The number of digits was taken from the last code, because the file does not say it surely.
    DigitsOfLastCode(u8),
    /// Used codes of the far future were left: no clock here can have used them.
    FutureCodesLeft(u64),
    /// The last line has no end, so the file may be cut.
    MayBeCut,
    /// A setting has no counterpart here.
    SettingLeft(String),
    /// The owner that the entry names cannot be a user name.
    OwnerLeft,
    /// A password stands beside the seed. It was left.
    PasswordLeft,
    /// The scratch codes were kept.
    ScratchCodesKept(u64),
    /// The seed has fewer bits than 128.
    ShortSeed(u64),
    /// The text was too long, or had characters that a name cannot have.
    TextShortened,
    /// The source does not know which codes are used.
    UsedCodesUnknown,
    /// The time until which the factor may be used was kept.
    ValidityKept,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Assumed { value, is } => write!(f, "no {value} is given; {is} is assumed"),
            Self::DigitsOfLastCode(digits) => {
                write!(f, "its last code has {digits} digits, so its codes have")
            }
            Self::FutureCodesLeft(count) => {
                write!(f, "{count} used codes of the far future were left")
            }
            Self::OwnerLeft => f.write_str("the owner that it names cannot be a user name"),
            Self::PasswordLeft => {
                f.write_str("its password was left; the password of the system counts")
            }
            Self::DriftKept(steps) => {
                let side = if *steps < 0 { "behind" } else { "ahead" };
                write!(
                    f,
                    "the clock of the phone is {} time steps {side}; that was kept",
                    steps.unsigned_abs()
                )
            }
            Self::IssuerDiffers => {
                f.write_str("two issuers are given; the parameter issuer counts")
            }
            Self::LastCodeByTime => f.write_str(
                "the last code does not fit its time; all codes up to that time count as used",
            ),
            Self::MayBeCut => {
                f.write_str("the last line has no end; compare the file with the original")
            }
            Self::SettingLeft(name) => write!(f, "{name} was left: it has no counterpart here"),
            Self::ScratchCodesKept(count) => write!(f, "{count} scratch codes were kept"),
            Self::ShortSeed(bits) => write!(f, "the seed has {bits} bits; 128 are recommended"),
            Self::TextShortened => f.write_str("a name was shortened"),
            Self::UsedCodesUnknown => f.write_str("it is not known which codes were used before"),
            Self::ValidityKept => f.write_str("the dates between which it is valid were kept"),
        }
    }
}
