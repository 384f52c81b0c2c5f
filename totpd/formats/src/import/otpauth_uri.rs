//! Reads an `otpauth` URI (the "Key URI Format" of the authenticator apps).

use std::collections::BTreeSet;

use totpd_core::code::DIGITS;
use totpd_core::factor::PERIOD;
use totpd_core::otp::Algorithm;
use zeroize::Zeroizing;

use crate::import::base32;
use crate::import::hash_name;
use crate::import::unreadable_secret::UnreadableSecret;

/// What a URI says about a token. An absent parameter has the value that apps assume.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct UriParameters {
    /// True if the token counts presses.
    pub is_hotp: bool,
    /// The hash.
    pub algorithm: Option<Algorithm>,
    /// The digits of a code, 6 to 8.
    pub digits: Option<u32>,
    /// The seconds of a time step.
    pub period: Option<u32>,
    /// The next counter of a token that counts presses.
    pub counter: Option<u64>,
}

/// Reports whether a text is to be read as a URI.
pub(crate) fn is_uri(text: &str) -> bool {
    starts_with(text, SCHEME) || starts_with(text, EXPORT_SCHEME)
}

/// Returns the secret and the parameters of a URI.
pub(crate) fn read(text: &str) -> Result<(Zeroizing<Vec<u8>>, UriParameters), UnreadableSecret> {
    if starts_with(text, EXPORT_SCHEME) {
        return Err(UnreadableSecret::IsExport);
    }
    let rest = text.get(SCHEME.len()..).unwrap_or_default();
    let kind = rest.split(['/', '?']).next().unwrap_or_default().to_ascii_lowercase();
    let mut found = UriParameters {
        is_hotp: match &*kind {
            "totp" => false,
            "hotp" => true,
            _ => return Err(UnreadableSecret::LinkParameter("type", "totp or hotp")),
        },
        ..UriParameters::default()
    };
    let mut secret = None;
    for (key, value) in parameters(rest)? {
        match &*key {
            "secret" => secret = Some(base32::decode(&value)?),
            "algorithm" => found.algorithm = Some(algorithm(&value)?),
            "digits" => {
                let digits = number(&value).and_then(|digits| u8::try_from(digits).ok());
                let digits = digits.filter(|digits| DIGITS.contains(digits)).map(u32::from);
                found.digits = Some(digits.ok_or(refused("number of digits", "6 to 8"))?);
            }
            "period" => {
                let period = number(&value).and_then(|period| u32::try_from(period).ok());
                let period = period.filter(|period| PERIOD.contains(period));
                found.period = Some(period.ok_or(refused("period", "15 to 300 seconds"))?);
            }
            "counter" => {
                found.counter = Some(number(&value).ok_or(refused("counter", "a number"))?);
            }
            "encoder" => {
                return Err(refused("parameter encoder", "removed: codes have digits only"));
            }
            _ => {}
        }
    }
    if !found.is_hotp {
        found.counter = None;
    }
    match secret {
        Some(secret) if !secret.is_empty() => Ok((secret, found)),
        _ => Err(UnreadableSecret::LinkWithoutSecret),
    }
}

/// Returns the parameters behind the question mark of a URI: their names in lower case, and values.
pub(crate) fn parameters(uri: &str) -> Result<Vec<(String, Zeroizing<String>)>, UnreadableSecret> {
    let query = uri.split_once('?').map_or("", |(_, query)| query);
    let query = query.split('#').next().unwrap_or_default();
    let mut keys = BTreeSet::new();
    let mut found = Vec::new();
    for (key, value) in query.split('&').filter_map(|pair| pair.split_once('=')) {
        let key = key.to_ascii_lowercase();
        // An app may take the first of two, and another program the last.
        if !keys.insert(key.clone()) {
            return Err(refused("parameter twice", "there once"));
        }
        found.push((key, percent_decoded(value)));
    }
    Ok(found)
}

fn refused(key: &'static str, wanted: &'static str) -> UnreadableSecret {
    UnreadableSecret::LinkParameter(key, wanted)
}

fn algorithm(value: &str) -> Result<Algorithm, UnreadableSecret> {
    hash_name::algorithm(value).ok_or(refused("hash", "SHA1, SHA256 or SHA512"))
}

fn number(value: &str) -> Option<u64> {
    value.parse().ok()
}

pub(crate) fn starts_with(text: &str, scheme: &str) -> bool {
    text.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme))
}

/// Decodes `%41` (RFC 3986 section 2.1). Bytes that are not UTF-8 are replaced.
pub(crate) fn percent_decoded(text: &str) -> Zeroizing<String> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(text.len()));
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let digits = after.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        let byte = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match byte {
            Some(byte) if *first == b'%' => {
                bytes.push(byte);
                rest = after.get(2..).unwrap_or_default();
            }
            _ => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    Zeroizing::new(String::from_utf8_lossy(&bytes).into_owned())
}

pub(crate) const SCHEME: &str = "otpauth://";
pub(crate) const EXPORT_SCHEME: &str = "otpauth-migration:";

#[cfg(test)]
mod tests {
    use totpd_core::factor::Kind;
    use totpd_core::fixtures::verified;

    use super::*;
    use crate::export::otpauth_uri;

    #[test]
    fn a_link_says_what_the_token_is() {
        let (secret, found) = read(
            "OTPAUTH://HOTP/Corp:alice?secret=gezd%20gnbv-gy3t%20qojq%3D%3D&Algorithm=HmacSHA256\
             &digits=8&counter=42&issuer=Corp&image=x",
        )
        .unwrap();
        assert_eq!(secret.as_slice(), b"1234567890");
        let expected = UriParameters {
            is_hotp: true,
            algorithm: Some(Algorithm::Sha256),
            digits: Some(8),
            period: None,
            counter: Some(42),
        };
        assert_eq!(found, expected);
    }

    #[test]
    fn a_link_that_was_written_here_is_read_again() {
        for (kind, last) in [(Kind::Totp { period: 60 }, None), (Kind::Hotp, Some(41))] {
            let mut factor = verified(kind, last);
            (factor.algorithm, factor.digits) = (Algorithm::Sha512, 8);
            let (secret, found) = read(&otpauth_uri(&factor, "My Host & Co", "ünï@x")).unwrap();
            assert_eq!(secret.as_slice(), factor.seed.bytes());
            assert_eq!((found.algorithm, found.digits), (Some(Algorithm::Sha512), Some(8)));
            let expected = if last.is_some() { (None, Some(42)) } else { (Some(60), None) };
            assert_eq!((found.period, found.counter), expected);
        }
    }

    #[test]
    fn a_refusal_names_the_ranges_that_decide() {
        let digits = format!("{} to {}", DIGITS.start(), DIGITS.end());
        let period = format!("{} to {} seconds", PERIOD.start(), PERIOD.end());
        for (parameter, wanted) in [("digits=99", digits), ("period=9", period)] {
            let refusal = read(&format!("otpauth://totp/x?secret=GEZD&{parameter}")).unwrap_err();
            assert!(
                matches!(refusal, UnreadableSecret::LinkParameter(_, words) if words == wanted),
                "{refusal}"
            );
        }
    }

    #[test]
    fn a_link_that_cannot_be_used_is_refused_by_its_fault() {
        for (text, expected) in [
            ("otpauth://totp/x?issuer=x", UnreadableSecret::LinkWithoutSecret),
            ("otpauth://totp/x?secret=", UnreadableSecret::LinkWithoutSecret),
            ("otpauth://totp/x", UnreadableSecret::LinkWithoutSecret),
            ("otpauth-migration://offline?data=x", UnreadableSecret::IsExport),
            ("otpauth://steam/x?secret=GEZD", refused("type", "totp or hotp")),
            ("otpauth://totp/x?secret=GEZD&Secret=GEZE", refused("parameter twice", "there once")),
            ("otpauth://totp/x?secret=GEZD&digits=5", refused("number of digits", "6 to 8")),
            ("otpauth://totp/x?secret=GEZD&period=5", refused("period", "15 to 300 seconds")),
            (
                "otpauth://totp/x?secret=GEZD&algorithm=MD5",
                refused("hash", "SHA1, SHA256 or SHA512"),
            ),
            ("otpauth://totp/x?secret=GEZ0", UnreadableSecret::DigitNotInBase32('0')),
        ] {
            assert_eq!(read(text).unwrap_err(), expected, "{text}");
        }
    }
}
