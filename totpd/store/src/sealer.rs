//! Sealing: what is on disk can be read, and put in its place, by the holder of the key alone.

use std::sync::Once;

use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{Key, KeyInit, XChaCha20Poly1305, XNonce};
use totpd_journal::{Entry, Priority};
use zeroize::Zeroizing;

use crate::locked_memory::lock_pages_of;
use crate::master_key::MasterKey;

/// Seals and unseals under one key.
pub struct Sealer(Box<XChaCha20Poly1305>);

/// The bytes were not sealed under this key for this place, or were changed since.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct UnsealError;

/// Nothing could be sealed: the kernel gives no random bytes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct SealError;

impl Sealer {
    /// The sealer of this key, in memory that is kept out of swap.
    #[must_use]
    pub fn new(key: &MasterKey) -> Self {
        let derived = key.derive("totpd seal 1");
        // On the heap, so that it stays where it was locked.
        let sealer = Box::new(XChaCha20Poly1305::new(<&Key>::from(&*derived)));
        if let Err(why) = lock_pages_of(&*sealer) {
            let told =
                format!("the sealing key may reach swap, its memory cannot be locked: {why}");
            TOLD.call_once(|| Entry::new(Priority::Warning, told).write());
        }
        Self(sealer)
    }

    /// Seals `plain` for one `place`: only there can it be unsealed.
    ///
    /// # Errors
    /// [`SealError`] where the kernel gives no random bytes.
    pub fn seal(&self, plain: &[u8], place: &[u8]) -> Result<Vec<u8>, SealError> {
        // 192 random bits never meet again under one key.
        let mut nonce = [0; NONCE];
        getrandom::fill(&mut nonce).map_err(|_| SealError)?;
        let payload = Payload { msg: plain, aad: place };
        let sealed = self.0.encrypt(&XNonce::from(nonce), payload).map_err(|_| SealError)?;
        Ok([nonce.as_slice(), &sealed].concat())
    }

    /// Unseals what [`Sealer::seal`] has sealed for the same `place`.
    ///
    /// # Errors
    /// [`UnsealError`], for whatever reason: an attacker learns nothing from it.
    pub fn unseal(&self, sealed: &[u8], place: &[u8]) -> Result<Zeroizing<Vec<u8>>, UnsealError> {
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE>().ok_or(UnsealError)?;
        let payload = Payload { msg: sealed, aad: place };
        let plain = self.0.decrypt(&XNonce::from(*nonce), payload).map_err(|_| UnsealError)?;
        Ok(Zeroizing::new(plain))
    }
}

/// A sealer is made more than once, and the log needs to say it once.
static TOLD: Once = Once::new();
const NONCE: usize = 24;

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn sealer() -> (tempfile::TempDir, Sealer) {
        let folder = tempfile::tempdir().unwrap();
        let sealer = Sealer::new(&MasterKey::create(&folder.path().join("store.key")).unwrap());
        (folder, sealer)
    }

    #[test]
    fn what_was_sealed_is_unsealed_in_its_place_alone() {
        let (_folder, sealer) = sealer();
        let sealed = sealer.seal(b"secret", b"here").unwrap();
        assert_eq!(sealer.unseal(&sealed, b"here").unwrap().as_slice(), b"secret");
        assert_eq!(sealer.unseal(&sealed, b"there"), Err(UnsealError));
        assert_eq!(super::tests::sealer().1.unseal(&sealed, b"here"), Err(UnsealError));
        assert_ne!(sealer.seal(b"secret", b"here").unwrap(), sealed);
    }

    #[test]
    fn no_byte_can_be_changed_or_missing() {
        let (_folder, sealer) = sealer();
        let sealed = sealer.seal(b"secret", b"here").unwrap();
        for index in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[index] ^= 1;
            assert_eq!(sealer.unseal(&changed, b"here"), Err(UnsealError), "{index}");
            assert_eq!(sealer.unseal(&sealed[..index], b"here"), Err(UnsealError), "{index}");
        }
    }
}
