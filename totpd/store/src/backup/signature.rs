//! The signature of a backup: Ed25519 (RFC 8032), by a key that is derived from the master key.

use std::fmt;

use data_encoding::BASE64_NOPAD;
use ed25519_dalek::{Signature, Signer as _, VerifyingKey};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::locked_memory::lock_pages_of;
use crate::master_key::MasterKey;

/// The key that signs the backups of one store. It prints nothing of itself. The kernel keeps its
/// memory out of swap, if it allows that. If it does not, the sealing key logs a warning.
pub struct SigningKey(Box<ed25519_dalek::SigningKey>);

/// Identifies the store that signed. It is not secret.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct PublicKey([u8; PublicKey::BYTES]);

/// A public key as people compare it: the SHA-256 of its 32 bytes, written as OpenSSH does.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Fingerprint([u8; 32]);

/// The signed digest: the SHA-512 of everything in a backup before its public key.
pub(super) type Digest = [u8; 64];

impl SigningKey {
    /// Derives the signing key from the master key of the store.
    #[must_use]
    pub fn new(key: &MasterKey) -> Self {
        let seed = key.derive("totpd backup signature 1");
        // The key is on the heap, so it stays at the address that was locked.
        let key = Box::new(ed25519_dalek::SigningKey::from_bytes(&seed));
        let _ = lock_pages_of(&*key);
        Self(key)
    }

    /// Returns the public half.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key().to_bytes())
    }

    pub(super) fn sign(&self, digest: &Digest) -> [u8; SIGNATURE_BYTES] {
        self.0.sign(&message(digest)).to_bytes()
    }
}

impl PublicKey {
    pub(super) const BYTES: usize = 32;

    pub(super) fn from_bytes(bytes: [u8; Self::BYTES]) -> Self {
        Self(bytes)
    }

    pub(super) fn bytes(&self) -> &[u8; Self::BYTES] {
        &self.0
    }

    /// Returns its fingerprint.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint(Sha256::digest(self.0).into())
    }

    /// Reports whether the private half signed this. A weak key, which fits more than one digest,
    /// signs nothing.
    pub(super) fn has_signed(&self, digest: &Digest, signature: &[u8; SIGNATURE_BYTES]) -> bool {
        let signature = Signature::from_bytes(signature);
        VerifyingKey::from_bytes(&self.0)
            .is_ok_and(|key| key.verify_strict(&message(digest), &signature).is_ok())
    }
}

impl Fingerprint {
    /// Parses a fingerprint: `SHA256:` and 43 characters of base64, with white space around.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let encoded = text.trim().strip_prefix(FINGERPRINT_PREFIX)?;
        Some(Self(BASE64_NOPAD.decode(encoded.as_bytes()).ok()?.try_into().ok()?))
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{FINGERPRINT_PREFIX}{}", BASE64_NOPAD.encode(&self.0))
    }
}

/// Returns the signed message. Its prefix separates it from anything else that such a key may sign.
fn message(digest: &Digest) -> Vec<u8> {
    [b"totpd backup 4 signature\0", digest.as_slice()].concat()
}

/// Bytes of a signature.
pub(super) const SIGNATURE_BYTES: usize = 64;
const FINGERPRINT_PREFIX: &str = "SHA256:";

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Returns the signing key of a new master key.
    pub(crate) fn signing_key() -> SigningKey {
        let folder = tempfile::tempdir().unwrap();
        SigningKey::new(&MasterKey::create(&folder.path().join("store.key")).unwrap())
    }

    #[test]
    fn a_signature_fits_its_key_and_digest_alone() {
        let (key, digest) = (signing_key(), [7; 64]);
        let signature = key.sign(&digest);
        assert!(key.public().has_signed(&digest, &signature));
        assert!(!key.public().has_signed(&[8; 64], &signature));
        assert!(!signing_key().public().has_signed(&digest, &signature));
        for at in 0..SIGNATURE_BYTES {
            let mut changed = signature;
            changed[at] ^= 1;
            assert!(!key.public().has_signed(&digest, &changed), "{at}");
        }
    }

    #[test]
    fn a_weak_key_signs_nothing() {
        // The neutral element as key and as R, with s = 0: plain verification takes it for any
        // digest.
        let mut neutral = [0; 32];
        neutral[0] = 1;
        let mut signature = [0; SIGNATURE_BYTES];
        signature[0] = 1;
        assert!(!PublicKey(neutral).has_signed(&[7; 64], &signature));
    }

    #[test]
    fn a_fingerprint_is_written_and_parsed_as_openssh_does() {
        // printf '' | openssl dgst -sha256 -binary | base64
        let empty = Fingerprint(Sha256::digest(b"").into());
        let text = "SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU";
        assert_eq!(empty.to_string(), text);
        assert_eq!(Fingerprint::parse(text), Some(empty));
        assert_eq!(Fingerprint::parse(&format!(" {text}\n")), Some(empty));
        for other in [
            "",
            "SHA256:",
            "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU",
            "sha256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU",
            "SHA256: 47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU",
            "SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
            "SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFV",
            "SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuF",
            "SHA256:47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU",
        ] {
            assert_eq!(Fingerprint::parse(other), None, "{other}");
        }
    }

    #[test]
    fn the_signing_key_differs_from_the_sealing_key() {
        let folder = tempfile::tempdir().unwrap();
        let master = MasterKey::create(&folder.path().join("store.key")).unwrap();
        let key = SigningKey::new(&master);
        assert_eq!(key.public(), SigningKey::new(&master).public());
        assert_ne!(key.0.to_bytes(), *master.derive("totpd seal 1"));
    }
}
