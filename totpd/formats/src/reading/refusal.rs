//! Why a whole file was refused.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Why a whole file was refused. It prints as a sentence, and holds no secret.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Refusal {
    /// There is nothing in the file.
    Empty,
    /// The file wants more memory or time for its passphrase than is given.
    KdfTooCostly,
    /// The picture has no QR code that can be read.
    NoQrCode,
    /// There is no reader for it in this program.
    NotBuilt,
    /// The file is no text, or not in an encoding that is read.
    NotText,
    /// The file holds a NUL character.
    Nul,
    /// The file is not of the format, or is cut. The text says what of it.
    Syntax(String),
    /// The file is larger than this many bytes.
    TooLarge(u64),
    /// The file is encrypted in a way that is not supported.
    UnknownEncryption(String),
    /// The file has this version, which is not known.
    UnknownVersion(String),
    /// The file is encrypted, and no passphrase was given.
    WantsPassphrase,
    /// The passphrase is wrong, or the file was changed.
    WrongPassphrase,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("it is empty"),
            Self::KdfTooCostly => {
                f.write_str("its passphrase would cost more memory or time than is given")
            }
            Self::NoQrCode => f.write_str("the picture has no QR code that can be read"),
            Self::NotBuilt => f.write_str("this program has no reader for it"),
            Self::NotText => f.write_str("it is neither UTF-8 nor UTF-16 with a byte order mark"),
            Self::Nul => f.write_str("it has a NUL character"),
            Self::Syntax(what) => write!(f, "it is not of this format, or is cut: {what}"),
            Self::TooLarge(bytes) => write!(f, "it is larger than {bytes} bytes"),
            Self::UnknownEncryption(name) => {
                write!(f, "it is encrypted by {name:?}, which is not supported")
            }
            Self::UnknownVersion(version) => {
                write!(f, "it has version {version:?}, which is not known")
            }
            Self::WantsPassphrase => f.write_str("it is encrypted; give its passphrase"),
            Self::WrongPassphrase => {
                f.write_str("the passphrase is wrong, or the file was changed")
            }
        }
    }
}

impl std::error::Error for Refusal {}
