//! HMAC (RFC 2104).

use hmac::digest::Output;
use hmac::digest::common::Key;
use hmac::{KeyInit, Mac};
use zeroize::Zeroize;

/// Returns the HMAC of `message` under `key`, which is not longer than a block of the hash.
pub fn hmac<M: Mac + KeyInit>(key: &[u8], message: &[u8]) -> Output<M> {
    tag(keyed::<M>(key), message)
}

/// Returns HMAC with `key`, ready for one message. A clone takes another message. The half of the
/// work that depends on the key alone is done.
pub(crate) fn keyed<M: Mac + KeyInit>(key: &[u8]) -> M {
    // RFC 2104 section 2: a short key is padded with zeros.
    let mut block = Key::<M>::default();
    block.iter_mut().zip(key).for_each(|(to, from)| *to = *from);
    let mac = <M as KeyInit>::new(&block);
    block.as_mut_slice().zeroize();
    mac
}

/// Returns the tag of `message`.
pub(crate) fn tag<M: Mac>(mut mac: M, message: &[u8]) -> Output<M> {
    mac.update(message);
    mac.finalize().into_bytes()
}

#[cfg(test)]
mod tests {
    use sha1::Sha1;
    use sha2::{Sha256, Sha512};
    use zeroize::ZeroizeOnDrop;

    #[test]
    fn what_a_key_left_in_a_hash_is_wiped() {
        // This compiles only with the feature of the crates. HMAC keeps a key in two hashes alone.
        fn is_wiped<H: ZeroizeOnDrop>() {}
        is_wiped::<Sha1>();
        is_wiped::<Sha256>();
        is_wiped::<Sha512>();
    }
}
