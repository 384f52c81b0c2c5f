//! HMAC (RFC 2104).

use hmac::digest::Output;
use hmac::digest::common::Key;
use hmac::{KeyInit, Mac};
use zeroize::Zeroize;

/// The HMAC of `message` under a `key` that is no longer than a block of the hash.
pub fn hmac<M: Mac + KeyInit>(key: &[u8], message: &[u8]) -> Output<M> {
    // A key shorter than a block is filled up with zeros, as the RFC has it.
    let mut block = Key::<M>::default();
    block.iter_mut().zip(key).for_each(|(to, from)| *to = *from);
    let mut mac = <M as KeyInit>::new(&block);
    block.as_mut_slice().zeroize();
    mac.update(message);
    mac.finalize().into_bytes()
}
