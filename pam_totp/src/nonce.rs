//! What tells one authentication from all others: a key that was shown in one is confirmed in no other.

use std::fmt::Write as _;

use rustix::rand::{GetRandomFlags, getrandom};

/// 128 random bits in 32 hexadecimal digits; nothing if the kernel gives none, and then nobody enrolls.
pub(crate) fn random() -> Option<String> {
    let mut bytes = [0; 16];
    // So few bytes are given whole or not at all (getrandom(2)).
    let drawn = getrandom(&mut bytes, GetRandomFlags::NONBLOCK).ok()?;
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        write!(text, "{byte:02x}").ok()?;
    }
    (drawn == bytes.len()).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_authentications_never_have_the_same() {
        let (one, other) = (random().unwrap(), random().unwrap());
        assert_ne!(one, other);
        assert!(one.len() == 32 && one.bytes().all(|digit| digit.is_ascii_hexdigit()), "{one}");
    }
}
