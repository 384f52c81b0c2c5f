//! The `otpauth` URI that a phone app reads from the QR code.

use std::fmt::Write as _;

use totpd_core::factor::{Factor, Kind};
use zeroize::Zeroizing;

/// Checks that `text` can stand as an issuer or an account in the label of a URI.
///
/// # Errors
/// A sentence with the reason why `text` cannot stand there.
pub fn check_label(text: &str) -> Result<(), &'static str> {
    if text.is_empty() || text.len() > MAX_LABEL_BYTES {
        return Err("must have 1 to 64 bytes");
    }
    if text.contains(':') {
        return Err("must not contain a colon, which divides issuer from account");
    }
    if text.chars().any(char::is_control) {
        return Err("must not contain control characters");
    }
    Ok(())
}

/// Returns the URI of a factor (the "Key URI Format" of the authenticator apps). It holds the seed.
///
/// The URI lacks the parameters that apps assume by themselves, which makes the QR code smaller.
#[must_use]
pub fn otpauth_uri(factor: &Factor, issuer: &str, account: &str) -> Zeroizing<String> {
    // The buffer never grows, so it leaves no copy of the seed behind.
    let mut uri = Zeroizing::new(String::with_capacity(MAX_URI_BYTES));
    let (issuer, account) = (percent_encode(issuer), percent_encode(account));
    let _ = write!(uri, "otpauth://{}/{issuer}:{account}?secret=", factor.kind.name());
    uri.push_str(&factor.seed.base32());
    let _ = write!(uri, "&issuer={issuer}");
    if factor.algorithm != totpd_core::otp::Algorithm::Sha1 {
        let _ = write!(uri, "&algorithm={}", factor.algorithm.name());
    }
    if factor.digits != 6 {
        let _ = write!(uri, "&digits={}", factor.digits);
    }
    match factor.kind {
        Kind::Hotp => {
            let next = factor.last_accepted.map_or(0, |last| last.saturating_add(1));
            let _ = write!(uri, "&counter={next}");
        }
        Kind::Totp { period: 30 } => {}
        Kind::Totp { period } => {
            let _ = write!(uri, "&period={period}");
        }
    }
    uri
}

/// Percent-encodes everything but the unreserved characters (RFC 3986 section 2.3).
fn percent_encode(text: &str) -> String {
    let mut encoding = String::with_capacity(text.len() * 3);
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoding.push(char::from(byte));
        } else {
            let _ = write!(encoding, "%{byte:02X}");
        }
    }
    encoding
}

const MAX_LABEL_BYTES: usize = 64;
const MAX_URI_BYTES: usize = 4096;

#[cfg(test)]
mod tests {
    use totpd_core::fixtures::verified;
    use totpd_core::otp::Algorithm;

    use super::*;

    const SEED: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";

    #[test]
    fn what_apps_assume_is_left_out() {
        let factor = verified(Kind::Totp { period: 30 }, None);
        assert_eq!(
            *otpauth_uri(&factor, "host", "alice"),
            format!("otpauth://totp/host:alice?secret={SEED}&issuer=host")
        );
    }

    #[test]
    fn everything_else_is_written() {
        let mut factor = verified(Kind::Totp { period: 60 }, None);
        factor.algorithm = Algorithm::Sha512;
        factor.digits = 8;
        let uri = otpauth_uri(&factor, "My Host & Co", "ünï@x");
        assert_eq!(
            *uri,
            format!(
                "otpauth://totp/My%20Host%20%26%20Co:%C3%BCn%C3%AF%40x?secret={SEED}\
                 &issuer=My%20Host%20%26%20Co&algorithm=SHA512&digits=8&period=60"
            )
        );
    }

    #[test]
    fn an_event_token_has_the_next_counter() {
        for (last, next) in [(None, 0), (Some(0), 1), (Some(41), 42)] {
            let uri = otpauth_uri(&verified(Kind::Hotp, last), "h", "a");
            assert!(uri.ends_with(&format!("&counter={next}")), "{}", *uri);
            assert!(uri.starts_with("otpauth://hotp/"));
        }
    }

    #[test]
    fn labels_are_checked() {
        for (text, good) in [
            ("host.example.org", true),
            ("My Company", true),
            ("", false),
            ("a:b", false),
            ("a\nb", false),
            ("a\u{0}b", false),
            (&"x".repeat(64), true),
            (&"x".repeat(65), false),
        ] {
            assert_eq!(check_label(text).is_ok(), good, "{text:?}");
        }
    }
}
