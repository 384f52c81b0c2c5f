//! Base32 as people read it.

use zeroize::Zeroizing;

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
