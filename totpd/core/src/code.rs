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
    /// Parses a code: ASCII digits, with spaces, no-break spaces and hyphens between them, because
    /// apps show `123 456` and `123-456`. A pasted code may end in a carriage return or a tab.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut code = Self { value: 0, digits: 0 };
        // A sign is no separator: a hyphen stands between digits.
        let mut last = '-';
        for c in without_end(text).chars().filter(|c| !is_blank(*c)) {
            match c.to_digit(10) {
                Some(digit) if code.digits < *DIGITS.end() => {
                    code.value = code.value * 10 + digit;
                    code.digits += 1;
                }
                None if c == '-' && last != '-' => {}
                _ => return None,
            }
            last = c;
        }
        (last != '-' && DIGITS.contains(&code.digits)).then_some(code)
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

/// Reports whether `c` is a space or a no-break space.
pub(crate) fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\u{a0}' | '\u{202f}')
}

/// Returns `text` without what a pasted code may end in.
pub(crate) fn without_end(text: &str) -> &str {
    text.trim_end_matches(|c| is_blank(c) || matches!(c, '\r' | '\t'))
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
            ("123-456", Some((123_456, 6))),
            ("12-34 - 56", Some((123_456, 6))),
            ("123\u{a0}456", Some((123_456, 6))),
            ("123\u{202f}456\u{a0}", Some((123_456, 6))),
            ("123456\t", Some((123_456, 6))),
            ("123 456 \r", Some((123_456, 6))),
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
            "-123456",
            "123456-",
            "123--456",
            "123- -456",
            "\t123456",
            "123\r456",
            "123\u{2010}456",
            "1234-5678-9",
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
