//! Hexadecimal digits, as tokens come with them.

use data_encoding::HEXLOWER_PERMISSIVE;
use zeroize::Zeroizing;

use crate::import::base32::is_separator;
use crate::import::unreadable_secret::UnreadableSecret;

/// Decodes a text if it is hexadecimal, and returns `None` if it is not.
///
/// It is hexadecimal if it consists of hexadecimal digits only, and
/// - `0x` stands before it, or colons divide it, or
/// - a digit is not in base32 (0, 1, 8, 9), and there are at least 20, or
/// - it has 32, 40, 64 or 128 digits: base32 of such a length without a letter from G to Z is less
///   likely than one in ten billion, but one hexadecimal secret in ten thousand has no 0, 1, 8 or
///   9.
pub(crate) fn decode(text: &str) -> Option<Result<Zeroizing<Vec<u8>>, UnreadableSecret>> {
    let text = text.trim();
    let prefixed = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"));
    let is_marked = prefixed.is_some() || text.contains(':');
    let mut digits = Zeroizing::new(String::with_capacity(text.len()));
    for c in prefixed.unwrap_or(text).chars().filter(|c| !is_separator(*c) && *c != ':') {
        match c {
            c if c.is_ascii_hexdigit() => digits.push(c),
            other if prefixed.is_some() => {
                return Some(Err(UnreadableSecret::OtherCharacter(other)));
            }
            _ => return None,
        }
    }
    let has_other_digit = digits.contains(['0', '1', '8', '9']);
    let is_hexadecimal = is_marked
        || (has_other_digit && digits.len() >= MIN_DIGITS)
        || USUAL_DIGITS.contains(&digits.len());
    if !is_hexadecimal {
        return None;
    }
    if digits.len() % 2 == 1 {
        return Some(Err(UnreadableSecret::OddHexadecimal(digits.len())));
    }
    let decoded = HEXLOWER_PERMISSIVE.decode(digits.as_bytes());
    Some(decoded.map(Zeroizing::new).map_err(|_| UnreadableSecret::Empty))
}

/// The digits of 80 bits.
const MIN_DIGITS: usize = 20;
/// The digits of 128 bits, and of the output of SHA1, SHA256 and SHA512.
const USUAL_DIGITS: [usize; 4] = [32, 40, 64, 128];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hexadecimal_digits_are_read_as_people_write_them() {
        for text in [
            "3132333435363738393031323334353637383930",
            "0x3132333435363738393031323334353637383930",
            "31:32:33:34:35:36:37:38:39:30:31:32:33:34:35:36:37:38:39:30",
            "3132 3334 3536 3738 3930 3132 3334 3536 3738 3930 ",
            "3132-3334-3536-3738-3930-3132-3334-3536-3738-3930",
        ] {
            let decoded = decode(text).unwrap().unwrap();
            assert_eq!(decoded.as_slice(), b"12345678901234567890", "{text}");
        }
    }

    #[test]
    fn the_rule_for_texts_that_could_be_both() {
        for (text, is_hexadecimal) in [
            ("ABCDEF234567ABCDEF234567ABCDEF23", true),
            ("ABCDEF234567ABCD", false),
            ("0xABCDEF234567ABCD", true),
            ("AB:CD:EF:23:45:67:AB:CD:EF:23", true),
            ("ABCDEF234567ABCDEF234567AB", false),
            ("ABCDEF034567ABCDEF234567AB", true),
            ("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", false),
            ("ABCDEF01", false),
        ] {
            assert_eq!(decode(text).is_some(), is_hexadecimal, "{text}");
        }
    }

    #[test]
    fn an_odd_number_of_digits_is_refused() {
        let odd = decode("313233343536373839303132333435363738393").unwrap();
        assert_eq!(odd.unwrap_err(), UnreadableSecret::OddHexadecimal(39));
        let other = decode("0x31ZZ").unwrap();
        assert_eq!(other.unwrap_err(), UnreadableSecret::OtherCharacter('Z'));
    }
}
