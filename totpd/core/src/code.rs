//! A code, as a person types it.

use core::fmt;

use zeroize::Zeroize;

/// A code of 6 to 8 decimal digits.
///
/// It cannot be cloned, is wiped when dropped, and prints `[redacted]`.
#[derive(Zeroize)]
#[zeroize(drop)]
pub struct Code {
    value: u32,
    digits: u8,
}

/// The number of digits that a code may have (RFC 4226 section 5.3 requires at least 6).
pub const DIGITS: core::ops::RangeInclusive<u8> = 6..=8;

impl Code {
    /// Parses a code: ASCII digits, with spaces anywhere, because apps show `123 456`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut code = Self { value: 0, digits: 0 };
        for byte in text.bytes().filter(|byte| *byte != b' ') {
            if !byte.is_ascii_digit() || code.digits >= *DIGITS.end() {
                return None;
            }
            code.value = code.value * 10 + u32::from(byte - b'0');
            code.digits += 1;
        }
        DIGITS.contains(&code.digits).then_some(code)
    }

    /// Returns a stand-in of eight zeros, for an attempt without a code.
    pub(crate) fn blank() -> Self {
        Self { value: 0, digits: *DIGITS.end() }
    }

    /// Returns the value of the digits.
    #[must_use]
    pub fn value(&self) -> u32 {
        self.value
    }

    /// Returns the number of digits, 6 to 8.
    #[must_use]
    pub fn digits(&self) -> u8 {
        self.digits
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

#[cfg(test)]
mod tests {
    use alloc::format;

    use super::*;

    #[test]
    fn only_six_to_eight_ascii_digits_are_a_code() {
        for (text, expected) in [
            ("123456", Some((123_456, 6))),
            ("000000", Some((0, 6))),
            ("0012345", Some((12_345, 7))),
            ("99999999", Some((99_999_999, 8))),
            ("123 456", Some((123_456, 6))),
            (" 12 34 56 ", Some((123_456, 6))),
        ] {
            let code = Code::parse(text).unwrap();
            assert_eq!(Some((code.value(), code.digits())), expected, "{text:?}");
        }
        let megabyte = "1".repeat(1 << 20);
        for text in [
            "",
            " ",
            "12345",
            "123456789",
            "abcdef",
            "12345a",
            "-12345",
            "+12345",
            "１２３４５６",
            "١٢٣٤٥٦",
            "123\t456",
            "123456\n",
            "\u{8}\n\r\u{7f}INCORRECT",
            "12.3456",
            &megabyte,
        ] {
            assert!(Code::parse(text).is_none(), "{:?}", text.get(..20));
        }
    }

    #[test]
    fn a_code_never_prints_itself() {
        assert_eq!(format!("{:?}", Code::parse("123456")), "Some([redacted])");
    }
}
