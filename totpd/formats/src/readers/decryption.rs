//! The ciphers of other programs' files.

use aes::cipher::block_padding::Pkcs7;
use aes::cipher::{BlockModeDecrypt, KeyIvInit};
use aes::{Aes128, Aes192, Aes256};
use aes_gcm::aead::AeadInOut;
use aes_gcm::{Aes256Gcm, KeyInit};
use hmac::Mac;
use zeroize::Zeroizing;

/// Decrypts AES-256-GCM. `None` if the tag differs.
pub(crate) fn aes_256_gcm(
    key: &[u8; 32],
    nonce: &[u8],
    tag: &[u8],
    ciphertext: &[u8],
) -> Option<Zeroizing<Vec<u8>>> {
    let (nonce, tag): ([u8; 12], [u8; 16]) = (nonce.try_into().ok()?, tag.try_into().ok()?);
    let mut text = Zeroizing::new(ciphertext.to_vec());
    let cipher = Aes256Gcm::new(key.into());
    let decrypted =
        cipher.decrypt_inout_detached(&nonce.into(), b"", text.as_mut_slice().into(), &tag.into());
    decrypted.ok().map(|()| text)
}

/// Decrypts AES-CBC with PKCS #7 padding, with a key of 128, 192 or 256 bits. The caller has
/// checked a MAC before.
pub(crate) fn aes_cbc(key: &[u8], iv: &[u8], ciphertext: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let mut text = Zeroizing::new(ciphertext.to_vec());
    let length = match key.len() {
        16 => cbc::<Aes128>(key, iv, &mut text)?,
        24 => cbc::<Aes192>(key, iv, &mut text)?,
        32 => cbc::<Aes256>(key, iv, &mut text)?,
        _ => return None,
    };
    text.truncate(length);
    Some(text)
}

fn cbc<C>(key: &[u8], iv: &[u8], text: &mut [u8]) -> Option<usize>
where
    C: aes::cipher::BlockCipherDecrypt + KeyInit,
    cbc::Decryptor<C>: KeyIvInit + BlockModeDecrypt,
{
    let decryptor = cbc::Decryptor::<C>::new_from_slices(key, iv).ok()?;
    Some(decryptor.decrypt_padded::<Pkcs7>(text).ok()?.len())
}

/// Reports in constant time whether `tag` is the MAC of `message`.
pub(crate) fn is_mac<M: Mac + KeyInit>(key: &[u8], message: &[u8], tag: &[u8]) -> bool {
    let Ok(mut mac) = <M as KeyInit>::new_from_slice(key) else { return false };
    mac.update(message);
    mac.verify_slice(tag).is_ok()
}

#[cfg(test)]
mod tests {
    use data_encoding::HEXLOWER;
    use hmac::Hmac;
    use sha1::Sha1;

    use super::*;

    fn hex(text: &str) -> Vec<u8> {
        HEXLOWER.decode(text.as_bytes()).unwrap()
    }

    /// NIST SP 800-38A, F.2.1 and F.2.5, with the block of padding that they lack left out: the
    /// first block decrypts to the published one, whose end is no padding.
    #[test]
    fn padding_that_is_none_is_refused() {
        let iv = hex("000102030405060708090a0b0c0d0e0f");
        let key = hex("2b7e151628aed2a6abf7158809cf4f3c");
        let ciphertext = hex("7649abac8119b246cee98e9b12e9197d");
        assert!(aes_cbc(&key, &iv, &ciphertext).is_none());
        assert!(aes_cbc(&key[..15], &iv, &ciphertext).is_none());
        assert!(aes_cbc(&key, &iv[..15], &ciphertext).is_none());
        assert!(aes_cbc(&key, &iv, &ciphertext[..15]).is_none());
        assert!(aes_cbc(&key, &iv, &[]).is_none());
    }

    /// Test case 14 of the specification of GCM (McGrew and Viega), 256 bits.
    #[test]
    fn gcm_is_checked_by_its_tag() {
        let key = [0; 32];
        let ciphertext = hex("cea7403d4d606b6e074ec5d3baf39d18");
        let tag = hex("d0d1c8a799996bf0265b98b5d48ab919");
        let text = aes_256_gcm(&key, &[0; 12], &tag, &ciphertext).unwrap();
        assert_eq!(*text, [0; 16]);
        for bit in 0..128 {
            let mut changed = tag.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert!(aes_256_gcm(&key, &[0; 12], &changed, &ciphertext).is_none());
        }
        assert!(aes_256_gcm(&key, &[0; 11], &tag, &ciphertext).is_none());
    }

    /// RFC 2202 section 3, test case 2.
    #[test]
    fn a_mac_is_compared_whole() {
        let tag = hex("effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
        let message = b"what do ya want for nothing?";
        assert!(is_mac::<Hmac<Sha1>>(b"Jefe", message, &tag));
        assert!(!is_mac::<Hmac<Sha1>>(b"Jefe", message, &tag[..10]));
        assert!(!is_mac::<Hmac<Sha1>>(b"Jeff", message, &tag));
    }
}
