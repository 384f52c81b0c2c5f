//! Why a text is no secret, and what helps.

use std::fmt;

/// The reason why a text is no secret. It prints as a sentence, and never holds the secret itself.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum UnreadableSecret {
    /// There is no text.
    Empty,
    /// The digits of a code instead of the secret.
    IsCode,
    /// A link that exports several accounts at once (`otpauth-migration:`).
    IsExport,
    /// A digit that base32 does not have.
    DigitNotInBase32(char),
    /// A character that no form of a secret has.
    OtherCharacter(char),
    /// Padding before the end.
    PaddingInside,
    /// An odd number of hexadecimal digits.
    OddHexadecimal(usize),
    /// Fewer bits than the smallest secret has.
    TooShort(usize),
    /// More bytes than a secret may have.
    TooLong(usize),
    /// A link without a secret.
    LinkWithoutSecret,
    /// A link with a parameter that cannot be used.
    LinkParameter(&'static str, &'static str),
}

impl fmt::Display for UnreadableSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("there is no secret; give it in base32, in hexadecimal digits or as an otpauth:// link"),
            Self::IsCode => f.write_str("these digits are a code, not the secret; the secret is the key from which the app or the token computes its codes"),
            Self::IsExport => f.write_str("this link exports several accounts of an app at once; give the secret of one account"),
            Self::DigitNotInBase32(digit) => {
                write!(f, "the secret has a {digit}, which base32 does not have; ")?;
                f.write_str(match digit {
                    '0' => "it may be the letter O",
                    '1' => "it may be the letter I or L",
                    '8' => "it may be the letter B",
                    _ => "compare it with the original",
                })
            }
            Self::OtherCharacter(c) => write!(
                f,
                "the secret is not base32: it has {c:?}; give only the secret: letters A to Z and digits 2 to 7, hexadecimal digits, or an otpauth:// link"
            ),
            Self::PaddingInside => f.write_str("the secret has = before its end; give only one secret"),
            Self::OddHexadecimal(count) => write!(
                f,
                "the secret has {count} hexadecimal digits, an odd number; one is missing or too many"
            ),
            Self::TooShort(bits) => {
                write!(f, "the secret has {bits} bits; it needs at least 80 (16 letters in base32)")
            }
            Self::TooLong(bytes) => write!(f, "the secret has {bytes} bytes; at most 64 are possible"),
            Self::LinkWithoutSecret => f.write_str("the link has no secret (secret=); copy all of it"),
            Self::LinkParameter(key, wanted) => {
                write!(f, "the link has a {key} that is not supported; it must be {wanted}")
            }
        }
    }
}

impl std::error::Error for UnreadableSecret {}
