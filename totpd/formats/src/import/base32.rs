//! Base32 (RFC 4648 section 6) as people and programs write it.

use data_encoding::{Encoding, Specification};
use zeroize::Zeroizing;

use crate::import::unreadable_secret::UnreadableSecret;

/// Decodes base32 in either case, in groups, with or without padding.
///
/// As apps do, it ignores bits that are left over at the end, and a last letter that completes no
/// byte.
pub(crate) fn decode(text: &str) -> Result<Zeroizing<Vec<u8>>, UnreadableSecret> {
    let mut letters = Zeroizing::new(String::with_capacity(text.len()));
    let mut is_padded = false;
    for c in text.chars().filter(|c| !is_separator(*c)) {
        match c.to_ascii_uppercase() {
            '=' => is_padded = true,
            'A'..='Z' | '2'..='7' if is_padded => return Err(UnreadableSecret::PaddingInside),
            letter @ ('A'..='Z' | '2'..='7') => letters.push(letter),
            digit if digit.is_ascii_digit() => {
                return Err(UnreadableSecret::DigitNotInBase32(digit));
            }
            other => return Err(UnreadableSecret::OtherCharacter(other)),
        }
    }
    if matches!(letters.len() % 8, 1 | 3 | 6) {
        letters.pop();
    }
    let decoded = lenient_base32().and_then(|base32| base32.decode(letters.as_bytes()).ok());
    decoded.map(Zeroizing::new).ok_or(UnreadableSecret::Empty)
}

/// Reports whether `c` only divides groups: a blank or a dash, also of a word processor.
pub(crate) fn is_separator(c: char) -> bool {
    c.is_whitespace() || matches!(c, '-' | '\u{ad}' | '\u{200b}' | '\u{2010}'..='\u{2015}')
}

fn lenient_base32() -> Option<Encoding> {
    let mut base32 = Specification::new();
    base32.symbols.push_str("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567");
    base32.check_trailing_bits = false;
    base32.encoding().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base32_is_read_as_people_write_it() {
        for text in [
            "GEZDGNBVGY3TQOJQ",
            "gezd gnbv gy3t qojq",
            "GEZD-GNBV-GY3T-QOJQ==",
            "GEZDGNBVGY3TQOJQ====== \t",
            "GEZD\u{a0}GNBV\u{2013}GY3T\u{2011}QOJQ",
            "GEZDGNBVGY3TQOJQA",
        ] {
            assert_eq!(decode(text).unwrap().as_slice(), b"1234567890", "{text}");
        }
    }

    #[test]
    fn bits_that_are_left_over_are_ignored() {
        let whole = decode("S46SQCPPTCNPROMHWYBDCTBZXU").unwrap();
        assert_eq!(decode("S46SQCPPTCNPROMHWYBDCTBZXV").unwrap(), whole);
        assert_eq!(whole.len(), 16);
    }

    #[test]
    fn every_length_is_decoded_to_its_whole_bytes() {
        for length in 1..80 {
            assert_eq!(decode(&"A".repeat(length)).unwrap().len(), length * 5 / 8, "{length}");
        }
    }

    #[test]
    fn what_is_no_base32_is_named() {
        for (text, expected) in [
            ("GEZ0", UnreadableSecret::DigitNotInBase32('0')),
            ("GEZ1", UnreadableSecret::DigitNotInBase32('1')),
            ("GEZD,GNBV", UnreadableSecret::OtherCharacter(',')),
            ("ä", UnreadableSecret::OtherCharacter('ä')),
            ("GEZD==GNBV", UnreadableSecret::PaddingInside),
        ] {
            assert_eq!(decode(text).unwrap_err(), expected, "{text}");
        }
    }
}
