//! The names that other programs have for a hash.

use totpd_core::otp::Algorithm;

/// Reads the name of a hash, also as `HmacSHA1`, `HMAC-SHA-1` or `sha_1`.
pub(crate) fn algorithm(name: &str) -> Option<Algorithm> {
    let name = name.trim().to_ascii_uppercase().replace(['-', '_'], "");
    let name = name.strip_prefix("HMAC").unwrap_or(&name);
    Algorithm::from_name(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_has_many_names() {
        for (name, expected) in [
            ("SHA1", Some(Algorithm::Sha1)),
            (" sha-1 ", Some(Algorithm::Sha1)),
            ("HmacSHA256", Some(Algorithm::Sha256)),
            ("HMAC-SHA-512", Some(Algorithm::Sha512)),
            ("sha384", None),
            ("MD5", None),
            ("", None),
        ] {
            assert_eq!(algorithm(name), expected, "{name}");
        }
    }
}
