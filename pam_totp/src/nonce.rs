//! Random numbers that identify one authentication: its key cannot be confirmed in another one.

use rustix::rand::{GetRandomFlags, getrandom};
use totpd_interface::login::Nonce;

/// Returns 128 random bits. `None` if getrandom fails; then nobody can enroll.
pub(crate) fn random() -> Option<Nonce> {
    let mut bytes = [0; 16];
    // getrandom(2) never returns a part of so few bytes.
    let count = getrandom(&mut bytes, GetRandomFlags::NONBLOCK).ok()?;
    (count == bytes.len()).then(|| Nonce::new(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_nonces_differ() {
        let (one, other) = (random().unwrap(), random().unwrap());
        assert!(one != other && one.bytes() != [0; 16]);
    }
}
