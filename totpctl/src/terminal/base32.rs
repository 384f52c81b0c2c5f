//! Base32 as people write and read it.

use data_encoding::BASE32_NOPAD;
use zeroize::Zeroizing;

use crate::error::Error;

/// Decodes base32 in either case, with or without spaces, dashes and padding.
pub(crate) fn parse(text: &str) -> Result<Zeroizing<Vec<u8>>, Error> {
    let mut bare = Zeroizing::new(String::with_capacity(text.len()));
    bare.extend(
        text.trim_end_matches('=')
            .chars()
            .filter(|c| !matches!(c, ' ' | '\t' | '-'))
            .map(|c| c.to_ascii_uppercase()),
    );
    let message = "the secret is not base32; use only the letters A to Z and the digits 2 to 7";
    let decoded = BASE32_NOPAD.decode(bare.as_bytes());
    decoded.map(Zeroizing::new).map_err(|_| Error::refused(message))
}

/// Returns the secret in an `otpauth` URI.
pub(crate) fn secret_of_uri(uri: &str) -> &str {
    let query = uri.split_once('?').map_or("", |(_, query)| query);
    query.split('&').find_map(|pair| pair.strip_prefix("secret=")).unwrap_or_default()
}

/// Splits a secret into groups of four, for typing.
pub(crate) fn group(secret: &str) -> Zeroizing<String> {
    let mut groups = Zeroizing::new(String::with_capacity(secret.len() * 2));
    for (index, c) in secret.chars().enumerate() {
        if index > 0 && index % 4 == 0 {
            groups.push(' ');
        }
        groups.push(c);
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base32_is_parsed_as_people_write_it() {
        for text in ["GEZDGNBVGY3TQOJQ", "gezd gnbv gy3t qojq", "GEZD-GNBV-GY3T-QOJQ=="] {
            assert_eq!(parse(text).unwrap().as_slice(), b"1234567890", "{text}");
        }
        for text in ["GEZDGNBVGY3TQOJ1", "ä", "A"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_secret_is_found_in_a_uri() {
        assert_eq!(secret_of_uri("otpauth://totp/h:a?secret=ABCD&issuer=h"), "ABCD");
        assert_eq!(secret_of_uri("otpauth://totp/h:a?issuer=h&secret=ABCD"), "ABCD");
        assert_eq!(secret_of_uri("nonsense"), "");
    }

    #[test]
    fn a_secret_is_grouped_by_four() {
        assert_eq!(group("ABCDEFGHIJ").as_str(), "ABCD EFGH IJ");
    }
}
