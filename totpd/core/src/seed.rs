//! The shared secret of a factor.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;
use core::fmt;

use data_encoding::BASE32_NOPAD;
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

/// A seed: 10 to 64 bytes (RFC 4226 section 4, R6 asks for at least 128 bits).
///
/// Older apps and hardware tokens have 80 bits. Only root may enroll fewer than
/// [`RECOMMENDED_SEED_BYTES`].
///
/// It is wiped when its last clone is dropped, and prints `[redacted]`. All clones share the same
/// bytes.
#[derive(Clone)]
pub struct Seed(Arc<Zeroizing<Vec<u8>>>);

/// The number of bytes that a seed may have.
pub const SEED_BYTES: core::ops::RangeInclusive<usize> = 10..=64;

/// The number of bytes that a seed should have at least.
pub const RECOMMENDED_SEED_BYTES: usize = 16;

impl Seed {
    /// Returns the seed of these bytes; `None` if there are too few or too many.
    #[must_use]
    pub fn new(bytes: Vec<u8>) -> Option<Self> {
        let bytes = Zeroizing::new(bytes);
        SEED_BYTES.contains(&bytes.len()).then(|| Self(Arc::new(bytes)))
    }

    /// Returns a new seed of `length` bytes (10 to 64). `fill` fills a slice with random bytes.
    ///
    /// # Errors
    /// Those of `fill`.
    pub fn random<E>(
        length: usize,
        fill: impl FnOnce(&mut [u8]) -> Result<(), E>,
    ) -> Result<Self, E> {
        let mut bytes = Zeroizing::new(vec![0; length]);
        fill(&mut bytes)?;
        Ok(Self(Arc::new(bytes)))
    }

    /// Returns the bytes, for the HMAC and the sealer alone.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// Reports whether one of both seeds is a clone of the other.
    #[must_use]
    pub fn is_clone_of(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// Reports in constant time whether both seeds give the same codes.
    ///
    /// HMAC pads a short key with zeros (RFC 2104 section 2), so zeros at the end make no
    /// difference.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        self.zero_padded().ct_eq(&*other.zero_padded()).into()
    }

    /// Returns the bytes, padded with zeros to the longest seed.
    #[must_use]
    pub fn zero_padded(&self) -> Zeroizing<[u8; *SEED_BYTES.end()]> {
        let mut block = Zeroizing::new([0; *SEED_BYTES.end()]);
        for (to, from) in block.iter_mut().zip(self.bytes()) {
            *to = *from;
        }
        block
    }

    /// Returns base32 without padding (RFC 4648 section 6), as `otpauth` URIs and phone apps use
    /// it.
    #[must_use]
    pub fn base32(&self) -> Zeroizing<String> {
        Zeroizing::new(BASE32_NOPAD.encode(&self.0))
    }
}

/// The place of a seed that was not unsealed, because a question does not need it.
#[derive(Clone, Copy, Debug)]
pub struct NoSeed;

impl fmt::Debug for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

#[cfg(test)]
mod tests {
    use alloc::format;
    use alloc::vec;

    use super::*;

    #[test]
    fn only_a_clone_shares_the_bytes() {
        let seed = Seed::new(vec![7; 20]).unwrap();
        assert!(seed.is_clone_of(&seed.clone()));
        assert!(!seed.is_clone_of(&Seed::new(vec![7; 20]).unwrap()));
    }

    #[test]
    fn a_seed_has_10_to_64_bytes() {
        for (length, is_valid) in [(0, false), (9, false), (10, true), (64, true), (65, false)] {
            assert_eq!(Seed::new(vec![7; length]).is_some(), is_valid, "{length}");
        }
    }

    #[test]
    fn zeros_at_the_end_make_no_other_seed() {
        let seed = |bytes: &[u8]| Seed::new(bytes.to_vec()).unwrap();
        let short = seed(&[7; 20]);
        assert!(short.is(&seed(&[&[7; 20][..], &[0; 12]].concat())));
        assert!(!short.is(&seed(&[7; 21])) && !short.is(&seed(&[8; 20])));
    }

    #[test]
    fn random_seeds_differ() {
        let random = || Seed::random(20, getrandom::fill).unwrap();
        assert_ne!(random().bytes(), random().bytes());
    }

    #[test]
    fn a_seed_never_prints_itself() {
        assert_eq!(format!("{:?}", Seed::new(vec![65; 20])), "Some([redacted])");
    }

    #[test]
    fn a_seed_is_written_in_base32_without_padding() {
        let seed = Seed::new(b"12345678901234567890".to_vec()).unwrap();
        assert_eq!(*seed.base32(), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
    }
}
