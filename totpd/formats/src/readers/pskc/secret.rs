//! A value of a key: plain, or encrypted with its MAC.

use zeroize::Zeroizing;

use crate::readers::draft::{SeedBytes, number};
use crate::readers::pskc::element::Element;
use crate::readers::pskc::protection::{Protection, check_cipher};
use crate::readers::seed_text::base64;
use crate::reading::Reason;

/// Returns the seed of a key.
pub(super) fn seed(data: &Element, protection: &Protection) -> SeedBytes {
    let mut secrets = data.children("Secret");
    let secret = secrets.next().ok_or(Reason::NoSeed)?;
    if secrets.next().is_some() {
        return Err(Reason::Malformed("it has two seeds".to_owned()));
    }
    match secret.find(&["EncryptedValue"]) {
        Some(value) => encrypted(secret, value, protection),
        None => {
            let text = secret.text(&["PlainValue"]).ok_or(Reason::NoSeed)?;
            base64(text).ok_or_else(|| Reason::SeedUnreadable("it is not base64".to_owned()))
        }
    }
}

/// Returns a number of a key, such as its counter. `None` if there is none.
pub(super) fn value(
    data: &Element,
    name: &str,
    protection: &Protection,
) -> Result<Option<String>, Reason> {
    let Some(element) = data.find(&[name]) else { return Ok(None) };
    if let Some(value) = element.find(&["EncryptedValue"]) {
        let bytes = encrypted(element, value, protection)?;
        let has_room = bytes.len() <= 8;
        let sum = bytes.iter().fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte));
        let malformed = || Reason::Malformed(format!("its {name} is no number"));
        return has_room.then(|| Some(sum.to_string())).ok_or_else(malformed);
    }
    Ok(element.text(&["PlainValue"]).map(ToOwned::to_owned))
}

fn encrypted(
    element: &Element,
    value: &Element,
    protection: &Protection,
) -> Result<Zeroizing<Vec<u8>>, Reason> {
    let unreadable = |why: &str| Reason::SeedUnreadable(why.to_owned());
    if !protection.has_key() {
        return Err(unreadable("it is encrypted, and the file names no key"));
    }
    check_cipher(value).map_err(|refusal| Reason::SeedUnreadable(refusal.to_string()))?;
    let ciphertext = value.text(&["CipherData", "CipherValue"]).and_then(base64);
    let ciphertext = ciphertext.ok_or_else(|| unreadable("its ciphertext is not base64"))?;
    let tag = element.text(&["ValueMAC"]).and_then(base64).ok_or(Reason::NoMac)?;
    // Before it is decrypted: RFC 6030 section 6.
    if !protection.is_mac(&ciphertext, &tag).ok_or(Reason::NoMac)? {
        return Err(Reason::Tampered);
    }
    protection.decrypt(&ciphertext).ok_or(Reason::Tampered)
}

/// Returns a number with sign, as `TimeDrift` has it. privacyIDEA writes a fraction.
pub(super) fn signed(text: &str) -> Option<f64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let whole = digits.split('.').next().unwrap_or_default();
    number(whole).filter(|whole| *whole < 1 << 40)?;
    text.parse().ok()
}
