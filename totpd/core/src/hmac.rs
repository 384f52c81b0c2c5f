//! HMAC (RFC 2104).

use hmac::digest::Output;
use hmac::digest::common::Key;
use hmac::{KeyInit, Mac};
use zeroize::Zeroize;

/// Returns the HMAC of `message` under `key`, which is not longer than a block of the hash.
pub fn hmac<M: Mac + KeyInit>(key: &[u8], message: &[u8]) -> Output<M> {
    // RFC 2104 section 2: a short key is padded with zeros.
    let mut block = Key::<M>::default();
    block.iter_mut().zip(key).for_each(|(to, from)| *to = *from);
    let mut mac = <M as KeyInit>::new(&block);
    block.as_mut_slice().zeroize();
    mac.update(message);
    mac.finalize().into_bytes()
}
