//! The key that encrypts a container, and the key of its MACs.

use hmac::Hmac;
use sha1::Sha1;
use sha2::{Sha256, Sha512};
use zeroize::Zeroizing;

use crate::readers::decryption::{aes_cbc, is_mac};
use crate::readers::pskc::element::Element;
use crate::readers::seed_text::base64;
use crate::reading::{Passphrase, Refusal};

/// What protects the seeds of a container.
pub(super) struct Protection {
    key: Option<Zeroizing<Vec<u8>>>,
    mac: Option<Mac>,
}

struct Mac {
    hash: Hash,
    key: Zeroizing<Vec<u8>>,
}

#[derive(Clone, Copy)]
enum Hash {
    Sha1,
    Sha256,
    Sha512,
}

impl Protection {
    /// Reads the head of a container.
    pub(super) fn read(
        container: &Element,
        passphrase: Option<&Passphrase>,
    ) -> Result<Self, Refusal> {
        let Some(encryption) = container.find(&["EncryptionKey"]) else {
            return Ok(Self { key: None, mac: None });
        };
        let passphrase = passphrase.ok_or(Refusal::WantsPassphrase)?;
        let key = match encryption.find(&["DerivedKey"]) {
            Some(derived) => derive(derived, passphrase)?,
            None => shared_key(passphrase)?,
        };
        let mac = match container.find(&["MACMethod"]) {
            None => None,
            Some(method) => Some(Mac::read(method, &key)?),
        };
        Ok(Self { key: Some(key), mac })
    }

    /// Reports whether there is a key at all.
    pub(super) fn has_key(&self) -> bool {
        self.key.is_some()
    }

    /// Reports whether `tag` is the MAC of a ciphertext; `None` if the container has none.
    pub(super) fn is_mac(&self, ciphertext: &[u8], tag: &[u8]) -> Option<bool> {
        let mac = self.mac.as_ref()?;
        Some(match mac.hash {
            Hash::Sha1 => is_mac::<Hmac<Sha1>>(&mac.key, ciphertext, tag),
            Hash::Sha256 => is_mac::<Hmac<Sha256>>(&mac.key, ciphertext, tag),
            Hash::Sha512 => is_mac::<Hmac<Sha512>>(&mac.key, ciphertext, tag),
        })
    }

    /// Decrypts an encrypted value: the vector comes first.
    pub(super) fn decrypt(&self, ciphertext: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let (iv, blocks) = ciphertext.split_at_checked(16)?;
        aes_cbc(self.key.as_ref()?, iv, blocks)
    }
}

impl Mac {
    fn read(method: &Element, key: &Zeroizing<Vec<u8>>) -> Result<Self, Refusal> {
        let algorithm = method.attribute("Algorithm").unwrap_or_default();
        let hash = match last_name(algorithm) {
            "hmac-sha1" => Hash::Sha1,
            "hmac-sha256" => Hash::Sha256,
            "hmac-sha512" => Hash::Sha512,
            _ => return Err(unknown(algorithm)),
        };
        // RFC 6030 section 6.2: without a key of its own the MAC has the key of the encryption.
        let Some(value) = method.find(&["MACKey"]) else {
            return Ok(Self { hash, key: key.clone() });
        };
        check_cipher(value)?;
        let value = value.text(&["CipherData", "CipherValue"]).and_then(base64);
        let value = value.ok_or_else(|| Refusal::Syntax("its MACKey cannot be read".to_owned()))?;
        let (iv, blocks) = value.split_at_checked(16).ok_or(Refusal::WrongPassphrase)?;
        let key = aes_cbc(key, iv, blocks).ok_or(Refusal::WrongPassphrase)?;
        Ok(Self { hash, key })
    }
}

/// Checks that a value is encrypted by a cipher that is known.
pub(super) fn check_cipher(value: &Element) -> Result<(), Refusal> {
    let method = value.find(&["EncryptionMethod"]);
    let algorithm = method.and_then(|method| method.attribute("Algorithm")).unwrap_or_default();
    let is_known = matches!(last_name(algorithm), "aes128-cbc" | "aes192-cbc" | "aes256-cbc");
    if is_known { Ok(()) } else { Err(unknown(algorithm)) }
}

/// Reads a key that was handed over apart: in hexadecimal digits or base64.
fn shared_key(passphrase: &Passphrase) -> Result<Zeroizing<Vec<u8>>, Refusal> {
    let text = passphrase.text().trim();
    let hex = data_encoding::HEXLOWER_PERMISSIVE.decode(text.as_bytes()).ok().map(Zeroizing::new);
    let is_key = |key: &Zeroizing<Vec<u8>>| matches!(key.len(), 16 | 24 | 32);
    let key = hex.filter(is_key).or_else(|| base64(text).filter(is_key));
    key.ok_or(Refusal::WrongPassphrase)
}

/// Derives the key from a passphrase by PBKDF2 (RFC 8018 section 5.2).
fn derive(derived: &Element, passphrase: &Passphrase) -> Result<Zeroizing<Vec<u8>>, Refusal> {
    let malformed = || Refusal::Syntax("its key derivation cannot be read".to_owned());
    let method = derived.find(&["KeyDerivationMethod"]).ok_or_else(malformed)?;
    let algorithm = method.attribute("Algorithm").unwrap_or_default();
    if last_name(algorithm) != "pbkdf2" {
        return Err(unknown(algorithm));
    }
    let params = method.find(&["PBKDF2-params"]).ok_or_else(malformed)?;
    let salt = params.text(&["Salt", "Specified"]).and_then(base64).ok_or_else(malformed)?;
    let rounds = params.text(&["IterationCount"]).and_then(|text| text.parse::<u32>().ok());
    let rounds = rounds.filter(|rounds| *rounds > 0).ok_or_else(malformed)?;
    let length = params.text(&["KeyLength"]).map_or(Some(16), |text| text.parse::<usize>().ok());
    let length = length.filter(|length| matches!(length, 16 | 24 | 32)).ok_or_else(malformed)?;
    if rounds > MAX_ROUNDS {
        return Err(Refusal::KdfTooCostly);
    }
    let mut key = Zeroizing::new(vec![0; length]);
    let prf = params.find(&["PRF"]).and_then(|prf| prf.attribute("Algorithm"));
    let password = passphrase.text().as_bytes();
    match prf.map_or("hmac-sha1", last_name) {
        "hmac-sha1" | "id-hmacWithSHA1" | "hmacWithSHA1" => {
            pbkdf2::pbkdf2_hmac::<Sha1>(password, &salt, rounds, &mut key);
        }
        "hmac-sha256" | "hmacWithSHA256" => {
            pbkdf2::pbkdf2_hmac::<Sha256>(password, &salt, rounds, &mut key);
        }
        _ => return Err(unknown(prf.unwrap_or_default())),
    }
    Ok(key)
}

/// Returns what stands last in the name of an algorithm, which is a URI.
fn last_name(algorithm: &str) -> &str {
    algorithm.rsplit(['#', '/', ':']).next().unwrap_or_default()
}

fn unknown(algorithm: &str) -> Refusal {
    Refusal::UnknownEncryption(crate::readers::draft::short(algorithm))
}

/// A second of work.
const MAX_ROUNDS: u32 = 2_000_000;
