//! A typed recovery code, hashed.

use core::fmt;

/// A recovery code that a person typed, hashed with the salt of a record.
#[derive(Clone)]
pub struct HashedGuess {
    pub(super) salt: [u8; 16],
    pub(super) hash: Option<[u8; 32]>,
}

impl HashedGuess {
    /// Hashes the characters of a code with `salt`.
    pub(super) fn of(code: &[u8], salt: [u8; 16]) -> Self {
        let mut hash = [0; 32];
        let result = scrypt::Params::new(SCRYPT_LOG_N, 8, 1)
            .map(|params| scrypt::scrypt(code, &salt, &params, &mut hash));
        // Neither can fail with these constants. A failure makes a guess that matches nothing.
        Self { salt, hash: result.is_ok_and(|hashed| hashed.is_ok()).then_some(hash) }
    }
}

impl fmt::Debug for HashedGuess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// The cost of scrypt: 2^8 blocks of 1 KiB.
const SCRYPT_LOG_N: u8 = 8;
