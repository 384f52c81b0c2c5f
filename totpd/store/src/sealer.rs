//! Sealing: only the holder of the key can read what is on disk, or write something in its place.

use std::sync::Once;

use chacha20poly1305::aead::{Aead, AeadInOut, Payload};
use chacha20poly1305::{Key, KeyInit, XChaCha20Poly1305, XNonce};
use totpd_journal::{Entry, Priority};
use zeroize::Zeroizing;

use crate::locked_memory::lock_pages_of;
use crate::master_key::MasterKey;

/// Seals and unseals under one key.
pub struct Sealer(Box<XChaCha20Poly1305>);

/// The bytes were not sealed under this key with this associated data, or were changed later.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct UnsealError;

/// Nothing could be sealed.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum SealError {
    /// The system gave no random nonce.
    #[error("getrandom failed: {0}")]
    Random(getrandom::Error),
    /// The content has no bytes, or too many.
    #[error("cannot encode the content")]
    Encode,
}

impl Sealer {
    /// Returns the sealer of this key, in memory that is kept out of swap.
    #[must_use]
    pub fn new(key: &MasterKey) -> Self {
        let sealing_key = key.derive("totpd seal 1");
        // The sealer is on the heap, so it stays at the address that was locked.
        let sealer = Box::new(XChaCha20Poly1305::new(<&Key>::from(&*sealing_key)));
        if let Err(error) = lock_pages_of(&*sealer) {
            let message = format!(
                "seeds and the sealing key may reach swap: cannot lock their memory: {error}; raise \
                 LimitMEMLOCK of totpd.service, in a container that of its host, or encrypt swap"
            );
            WARNED.call_once(|| Entry::new(Priority::Warning, message).write());
        }
        Self(sealer)
    }

    /// Seals `plain`. It can be unsealed only with the same associated data `aad`, which names the
    /// place that it is for.
    ///
    /// # Errors
    /// [`SealError`] if getrandom fails.
    pub fn seal(&self, plain: &[u8], aad: &[u8]) -> Result<Vec<u8>, SealError> {
        let mut buffer = Vec::with_capacity(NONCE_BYTES + plain.len() + TAG_BYTES);
        buffer.resize(NONCE_BYTES, 0);
        buffer.extend_from_slice(plain);
        self.seal_in_place(&mut buffer, aad)?;
        Ok(buffer)
    }

    /// Seals the bytes of `buffer` behind the first [`NONCE_BYTES`] where they are, as
    /// [`Sealer::seal`] does.
    ///
    /// # Errors
    /// [`SealError`] if getrandom fails, or if there is no room for the nonce. The content of
    /// `buffer` is unspecified then.
    pub(crate) fn seal_in_place(&self, buffer: &mut Vec<u8>, aad: &[u8]) -> Result<(), SealError> {
        let (nonce, plain) =
            buffer.split_first_chunk_mut::<NONCE_BYTES>().ok_or(SealError::Encode)?;
        // 192 random bits never repeat under one key.
        getrandom::fill(nonce).map_err(SealError::Random)?;
        let tag = self.0.encrypt_inout_detached(&XNonce::from(*nonce), aad, plain.into());
        buffer.extend_from_slice(&tag.map_err(|_| SealError::Encode)?);
        Ok(())
    }

    /// Unseals what [`Sealer::seal`] has sealed with the same `aad`.
    ///
    /// # Errors
    /// [`UnsealError`], for any reason: an attacker learns nothing from it.
    pub fn unseal(&self, sealed: &[u8], aad: &[u8]) -> Result<Zeroizing<Vec<u8>>, UnsealError> {
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE_BYTES>().ok_or(UnsealError)?;
        let payload = Payload { msg: sealed, aad };
        let plain = self.0.decrypt(&XNonce::from(*nonce), payload).map_err(|_| UnsealError)?;
        Ok(Zeroizing::new(plain))
    }
}

/// Reports whether a sealer has warned that its key, and so the seeds, may reach swap.
#[must_use]
pub fn has_warned_of_swap() -> bool {
    WARNED.is_completed()
}

/// There is a sealer for each key, and one warning is enough.
static WARNED: Once = Once::new();
/// The bytes before what is sealed.
pub(crate) const NONCE_BYTES: usize = 24;
/// The bytes behind it.
pub(crate) const TAG_BYTES: usize = 16;

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn sealer() -> (tempfile::TempDir, Sealer) {
        let folder = tempfile::tempdir().unwrap();
        let sealer = Sealer::new(&MasterKey::create(&folder.path().join("store.key")).unwrap());
        (folder, sealer)
    }

    #[test]
    fn sealed_bytes_open_with_their_own_associated_data_alone() {
        let (_folder, sealer) = sealer();
        let sealed = sealer.seal(b"secret", b"here").unwrap();
        assert_eq!(sealer.unseal(&sealed, b"here").unwrap().as_slice(), b"secret");
        assert_eq!(sealer.unseal(&sealed, b"there"), Err(UnsealError));
        assert_eq!(super::tests::sealer().1.unseal(&sealed, b"here"), Err(UnsealError));
        assert_ne!(sealer.seal(b"secret", b"here").unwrap(), sealed);
    }

    #[test]
    fn sealed_bytes_cannot_be_changed_or_cut() {
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
