//! Scratch codes: recovery codes that another program made, of decimal digits.

use alloc::string::String;
use core::fmt;

use zeroize::Zeroizing;

use crate::code::Code;
use crate::recovery_codes::hashed_guess::HashedGuess;

/// A recovery code that another program made: eight decimal digits, which a login cannot tell from
/// a code of an app.
///
/// It has 27 bits, so the throttle protects it as it protects a code of an app. It is wiped when
/// dropped and prints `[redacted]`.
pub struct ScratchCode(Zeroizing<[u8; DIGITS]>);

impl ScratchCode {
    /// Reads exactly eight digits.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let digits = <[u8; DIGITS]>::try_from(text.as_bytes()).ok().map(Zeroizing::new)?;
        digits.iter().all(u8::is_ascii_digit).then_some(Self(digits))
    }

    /// Returns the scratch code of the digits that a person typed, if there are eight.
    #[must_use]
    pub fn from_code(code: &Code) -> Option<Self> {
        if usize::from(code.digits()) != DIGITS {
            return None;
        }
        let (mut digits, mut rest) = (Zeroizing::new([b'0'; DIGITS]), code.value());
        for digit in digits.iter_mut().rev() {
            *digit = b'0' + u8::try_from(rest % 10).unwrap_or_default();
            rest /= 10;
        }
        Some(Self(digits))
    }

    /// Returns the hash that a record keeps; see
    /// [`RecoveryCode::hash`](crate::recovery_codes::RecoveryCode::hash).
    #[must_use]
    pub fn hash(&self, salt: [u8; 16]) -> HashedGuess {
        HashedGuess::of(self.0.as_slice(), salt)
    }

    /// Returns the digits.
    #[must_use]
    pub fn display(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::with_capacity(DIGITS));
        text.extend(self.0.iter().copied().map(char::from));
        text
    }
}

impl fmt::Debug for ScratchCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// The digits of a scratch code.
const DIGITS: usize = 8;

#[cfg(test)]
mod tests {
    use alloc::format;

    use super::*;
    use crate::recovery_codes::RecoveryCodes;

    #[test]
    fn a_scratch_code_is_eight_digits() {
        for (text, is_code) in [
            ("93240982", true),
            ("00000001", true),
            ("9324098", false),
            ("932409821", false),
            ("9324 0982", false),
            ("9324098x", false),
            ("", false),
        ] {
            let code = ScratchCode::parse(text);
            assert_eq!(code.is_some(), is_code, "{text}");
            assert!(code.is_none_or(|code| *code.display() == text), "{text}");
        }
        assert_eq!(format!("{:?}", ScratchCode::parse("93240982")), "Some([redacted])");
    }

    #[test]
    fn typed_digits_are_the_same_code() {
        let mut kept = RecoveryCodes::of_scratch_codes(
            &["93240982", "00000017"].map(|text| ScratchCode::parse(text).unwrap()),
            [7; 16],
        );
        assert_eq!(kept.left(), 2);
        for (typed, is_right) in
            [("9324-0982", true), ("9324 0982", false), ("00000017", true), ("17000000", false)]
        {
            let code = ScratchCode::from_code(&Code::parse(typed).unwrap()).unwrap();
            assert_eq!(kept.redeem(&code.hash([7; 16]), 5), is_right, "{typed}");
        }
        assert_eq!(kept.left(), 0);
        assert!(ScratchCode::from_code(&Code::parse("1234567").unwrap()).is_none());
    }
}
