//! Fernet: AES-128-CBC under HMAC-SHA256, in base64 for names of files.

use data_encoding::BASE64URL;
use hmac::Hmac;
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::readers::decryption::{aes_cbc, is_mac};
use crate::reading::{Passphrase, Refusal};

/// What every message of this century starts with: version 128 and the first bytes of a time.
pub(super) const START: &str = "gAAAA";

/// Opens a message with its key: half of it is for the MAC, half for the text.
pub(super) fn open(
    message: &str,
    passphrase: Option<&Passphrase>,
) -> Result<Zeroizing<Vec<u8>>, Refusal> {
    let passphrase = passphrase.ok_or(Refusal::WantsPassphrase)?;
    let key = BASE64URL.decode(passphrase.text().trim().as_bytes()).map(Zeroizing::new);
    let key = key.ok().filter(|key| key.len() == 32).ok_or(Refusal::WrongPassphrase)?;
    let cut = || Refusal::Syntax("the encrypted export is cut".to_owned());
    let message = BASE64URL.decode(message.as_bytes()).map_err(|_| cut())?;
    let (signed, tag) = message
        .len()
        .checked_sub(TAG)
        .and_then(|end| message.split_at_checked(end))
        .ok_or_else(cut)?;
    let (mac_key, text_key) = key.split_at_checked(16).ok_or_else(cut)?;
    if !is_mac::<Hmac<Sha256>>(mac_key, signed, tag) {
        return Err(Refusal::WrongPassphrase);
    }
    let (_version_and_time, encrypted) = signed.split_at_checked(9).ok_or_else(cut)?;
    let (iv, blocks) = encrypted.split_at_checked(16).ok_or_else(cut)?;
    aes_cbc(text_key, iv, blocks).ok_or_else(cut)
}

const TAG: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;

    /// The published test vectors of Fernet (verify.json and invalid.json).
    #[test]
    fn the_published_message_is_opened() {
        let open = |message: &str, key: &str| {
            super::open(message, Some(&Passphrase::new(Zeroizing::new(key.to_owned()))))
        };
        let message = "gAAAAAAdwJ6wAAECAwQFBgcICQoLDA0ODy021cpGVWKZ_eEwCGM4BLLF_5CV9dOPmrhuVUPgJobwOz7JcbmrR64jVmpU4IwqDA==";
        let key = "cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=";
        assert_eq!(**open(message, key).unwrap(), *b"hello");
        assert_eq!(open(message, "Zm9v"), Err(Refusal::WrongPassphrase));
        assert_eq!(super::open(message, None), Err(Refusal::WantsPassphrase));
        for index in 0..message.len() {
            let mut changed = message.to_owned().into_bytes();
            changed[index] = if changed[index] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).unwrap();
            assert!(open(&changed, key).is_err(), "{index}");
            assert!(open(&message[..index], key).is_err(), "{index}");
        }
    }
}
