//! Formats that are read: a token that exists already, as authenticators, papers and spreadsheets
//! have its secret. [`Token::parse`] chooses the reader.

use totpd_core::code::DIGITS;
use totpd_core::seed::{RECOMMENDED_SEED_BYTES, SEED_BYTES};
use zeroize::Zeroizing;

pub use crate::import::otpauth_uri::UriParameters;
pub use crate::import::unreadable_secret::UnreadableSecret;

pub(crate) mod base32;
pub(crate) mod hash_name;
pub(crate) mod hexadecimal;
pub(crate) mod otpauth_uri;
mod unreadable_secret;

/// An existing token.
pub struct Token {
    /// The secret, 10 to 64 bytes.
    pub secret: Zeroizing<Vec<u8>>,
    /// What the `otpauth` URI says about the token, if it is one.
    pub uri: Option<UriParameters>,
}

impl Token {
    /// Reads base32, hexadecimal digits or an `otpauth` URI.
    ///
    /// # Errors
    /// A sentence that helps; see [`UnreadableSecret`].
    pub fn parse(text: &str) -> Result<Self, UnreadableSecret> {
        let text = unquoted(text.trim_start_matches('\u{feff}').trim());
        if otpauth_uri::is_uri(text) {
            let (secret, uri) = otpauth_uri::read(text)?;
            return Self::new(secret, Some(uri));
        }
        if text.is_empty() {
            return Err(UnreadableSecret::Empty);
        }
        let digits = text.chars().filter(|c| !base32::is_separator(*c));
        if text.chars().all(|c| c.is_ascii_digit() || base32::is_separator(c))
            && u8::try_from(digits.count()).is_ok_and(|count| DIGITS.contains(&count))
        {
            return Err(UnreadableSecret::IsCode);
        }
        let secret = hexadecimal::decode(text).unwrap_or_else(|| base32::decode(text))?;
        Self::new(secret, None)
    }

    /// Reports whether the secret is shorter than the 128 bits that RFC 4226 section 4 (R6) asks
    /// for.
    #[must_use]
    pub fn is_short(&self) -> bool {
        self.secret.len() < RECOMMENDED_SEED_BYTES
    }

    fn new(
        secret: Zeroizing<Vec<u8>>,
        uri: Option<UriParameters>,
    ) -> Result<Self, UnreadableSecret> {
        if secret.len() < *SEED_BYTES.start() {
            return Err(UnreadableSecret::TooShort(secret.len() * 8));
        }
        if secret.len() > *SEED_BYTES.end() {
            return Err(UnreadableSecret::TooLong(secret.len()));
        }
        Ok(Self { secret, uri })
    }
}

/// Returns the text without the quotes that a spreadsheet writes around it.
fn unquoted(text: &str) -> &str {
    let inside = |quote| text.strip_prefix(quote).and_then(|text| text.strip_suffix(quote));
    inside('"').or_else(|| inside('\'')).unwrap_or(text).trim()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<u8>, String> {
        Token::parse(text).map(|token| token.secret.to_vec()).map_err(|error| error.to_string())
    }

    #[test]
    fn a_secret_is_read_as_it_comes() {
        for text in [
            "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ",
            "\u{feff}gezd gnbv gy3t qojq gezd gnbv gy3t qojq\r\n",
            "\"GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ\"",
            "'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ'",
            "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ=== ",
            "0x3132333435363738393031323334353637383930",
            "3132333435363738393031323334353637383930",
            "otpauth://totp/h:a?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=h",
        ] {
            assert_eq!(read(text).unwrap(), b"12345678901234567890", "{text}");
        }
    }

    #[test]
    fn the_fuzz_seeds_are_secrets() {
        for text in [
            include_str!("../../../fuzz/seeds/secret/base32"),
            include_str!("../../../fuzz/seeds/secret/hexadecimal"),
            include_str!("../../../fuzz/seeds/secret/hotp-link"),
            include_str!("../../../fuzz/seeds/secret/padded"),
            include_str!("../../../fuzz/seeds/secret/totp-link"),
        ] {
            assert_eq!(read(text).unwrap(), b"12345678901234567890", "{text}");
        }
    }

    #[test]
    fn eighty_bits_are_short_and_fewer_are_refused() {
        for (text, is_short) in [
            ("JBSWY3DPEHPK3PXP", true),
            ("S46SQCPPTCNPROMHWYBDCTBZXV", false),
            ("GEZDGNBVGY3TQOJQGEZDGNBV", true),
        ] {
            assert_eq!(Token::parse(text).unwrap().is_short(), is_short, "{text}");
        }
        assert!(read("JBSWY3DPEHPK3PX").unwrap_err().contains("72 bits"));
        assert!(read(&"A".repeat(104)).unwrap_err().contains("65 bytes"));
        assert_eq!(read(&"A".repeat(103)).unwrap().len(), 64);
    }

    #[test]
    fn every_refusal_helps() {
        for (text, helps) in [
            ("", "otpauth://"),
            ("  \t", "otpauth://"),
            ("123 456", "a code, not the secret"),
            ("GEZDGNBVGY3TQOJ0", "letter O"),
            ("GEZDGNBVGY3TQOJ1", "letter I or L"),
            ("GEZDGNBVGY3TQOJ8", "letter B"),
            ("not base32!", "not base32"),
            ("Key: GEZDGNBVGY3TQOJQ", "only the secret"),
            ("T-1001;GEZDGNBVGY3TQOJQ", "does not have"),
            ("otpauth://totp/x?issuer=x", "no secret"),
        ] {
            let told = read(text).unwrap_err();
            assert!(told.contains(helps), "{text}: {told}");
        }
    }
}
