//! Recovery codes: printed codes for a user who lost the phone. Each is accepted once.

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use core::fmt;

use serde::{Deserialize, Serialize};
use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};
use zeroize::Zeroizing;

use crate::code::{is_blank, without_end};
pub use crate::recovery_codes::hashed_guess::HashedGuess;
pub use crate::recovery_codes::scratch_code::ScratchCode;

mod hashed_guess;
mod scratch_code;

/// A recovery code: 16 characters of Crockford's base32, 80 random bits.
///
/// It is wiped when dropped and prints `[redacted]`. The alphabet lacks I, L, O and U, so a misread
/// character is still understood.
pub struct RecoveryCode(Zeroizing<[u8; CODE_LENGTH]>);

impl RecoveryCode {
    /// Returns a new code. `fill` fills a slice with random bytes.
    ///
    /// # Errors
    /// Those of `fill`.
    pub fn random<E>(fill: impl FnOnce(&mut [u8]) -> Result<(), E>) -> Result<Self, E> {
        let mut code = Zeroizing::new([0; CODE_LENGTH]);
        fill(code.as_mut_slice())?;
        for byte in code.iter_mut() {
            *byte = ALPHABET.get(usize::from(*byte % 32)).copied().unwrap_or(b'0');
        }
        Ok(Self(code))
    }

    /// Parses a code in upper or lower case, with or without dashes and blanks, as
    /// [`Code`](crate::code::Code) has them. O means 0; I and L mean 1.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut code = Zeroizing::new([0; CODE_LENGTH]);
        let mut length = 0;
        for c in without_end(text).chars().filter(|c| *c != '-' && !is_blank(*c)) {
            let byte = match c.to_ascii_uppercase() {
                'O' => b'0',
                'I' | 'L' => b'1',
                other => u8::try_from(other).ok()?,
            };
            if !ALPHABET.contains(&byte) {
                return None;
            }
            *code.get_mut(length)? = byte;
            length += 1;
        }
        (length == CODE_LENGTH).then_some(Self(code))
    }

    /// Returns the code as people read it: four groups of four characters, with dashes.
    #[must_use]
    pub fn display(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::with_capacity(CODE_LENGTH + CODE_LENGTH / 4));
        for (index, byte) in self.0.iter().enumerate() {
            if index > 0 && index % 4 == 0 {
                text.push('-');
            }
            text.push(char::from(*byte));
        }
        text
    }

    /// Returns the hash that a record keeps: scrypt (RFC 7914) over 256 KiB, less than a
    /// millisecond.
    ///
    /// A code has 80 random bits, so a costlier hash would only slow down the daemon.
    #[must_use]
    pub fn hash(&self, salt: [u8; 16]) -> HashedGuess {
        HashedGuess::of(self.0.as_slice(), salt)
    }
}

impl fmt::Debug for RecoveryCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// The hashes of the recovery codes of one user, under one salt.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct RecoveryCodes {
    salt: [u8; 16],
    hashes: Vec<[u8; 32]>,
    unreported_use: Option<Usage>,
}

/// One use of a recovery code.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Usage {
    /// The time of the use, in seconds since 1970.
    pub when: u64,
}

impl RecoveryCodes {
    /// Returns `count` new codes, and their hashes for the record. `fill` fills a slice with random
    /// bytes.
    ///
    /// # Errors
    /// Those of `fill`.
    pub fn generate<E>(
        count: u32,
        mut fill: impl FnMut(&mut [u8]) -> Result<(), E>,
    ) -> Result<(Vec<RecoveryCode>, Self), E> {
        let mut salt = [0; 16];
        fill(&mut salt)?;
        let codes =
            (0..count).map(|_| RecoveryCode::random(&mut fill)).collect::<Result<Vec<_>, E>>()?;
        let hashes = codes.iter().filter_map(|code| code.hash(salt).hash).collect();
        Ok((codes, Self { salt, hashes, unreported_use: None }))
    }

    /// Returns the hashes of codes that another program made, under the random `salt`.
    #[must_use]
    pub fn of_scratch_codes(codes: &[ScratchCode], salt: [u8; 16]) -> Self {
        let hashes = codes.iter().filter_map(|code| code.hash(salt).hash).collect();
        Self { salt, hashes, unreported_use: None }
    }

    /// Returns no hashes under `salt`, for an [`Outline`](crate::record::Outline).
    #[must_use]
    pub fn without_hashes(salt: [u8; 16]) -> Self {
        Self { salt, ..Self::default() }
    }

    /// Returns as many hashes as a record usually has. No code is known that has one of them.
    pub(crate) fn decoy() -> Self {
        Self { hashes: vec![[0; 32]; USUAL_NUMBER], ..Self::default() }
    }

    /// Returns how many codes are left.
    #[must_use]
    pub fn left(&self) -> usize {
        self.hashes.len()
    }

    /// Returns the salt to hash a guess with. A record without codes has a salt too (zeros). So the
    /// daemon does the same work.
    #[must_use]
    pub fn salt(&self) -> [u8; 16] {
        self.salt
    }

    /// Uses up the code of `guess` at `now` (seconds since 1970). Reports whether the record had
    /// that code.
    ///
    /// All hashes are compared in constant time.
    pub fn redeem(&mut self, guess: &HashedGuess, now: u64) -> bool {
        let Some(hash) = guess.hash.filter(|_| guess.salt == self.salt) else { return false };
        let (mut is_match, mut position) = (Choice::from(0), 0_u64);
        for (index, stored) in (0_u64..).zip(&self.hashes) {
            let same = stored.ct_eq(&hash);
            position.conditional_assign(&index, same);
            is_match |= same;
        }
        if !bool::from(is_match) {
            return false;
        }
        // The index came from the list, so it is valid.
        self.hashes.remove(usize::try_from(position).unwrap_or_default());
        self.unreported_use = Some(Usage { when: now });
        true
    }

    /// Returns the last use, if no login has reported it to the user yet. The next call returns
    /// `None`.
    pub fn take_unreported_use(&mut self) -> Option<Usage> {
        self.unreported_use.take()
    }
}

/// Characters of a code, without dashes.
const CODE_LENGTH: usize = 16;
/// The number of codes that the daemon makes by default.
const USUAL_NUMBER: usize = 10;
/// The alphabet of Crockford's base32.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

#[cfg(test)]
mod tests {
    use alloc::format;

    use super::*;
    use crate::fixtures::recovery_codes;

    #[test]
    fn a_recovery_code_is_parsed_in_every_spelling() {
        let code = RecoveryCode(Zeroizing::new(*b"01ABCDEFGHJKMNPQ"));
        assert_eq!(code.display().as_str(), "01AB-CDEF-GHJK-MNPQ");
        for text in [
            "01AB-CDEF-GHJK-MNPQ",
            "01abcdefghjkmnpq",
            " 01ab cdef ghjk mnpq ",
            "01ab\u{a0}cdef-ghjk\u{202f}mnpq\r",
            "OIab-cdef-ghjk-mnpq",
            "olab-cdef-ghjk-mnpq",
        ] {
            assert_eq!(*RecoveryCode::parse(text).unwrap().0, *code.0, "{text}");
        }
        for text in
            ["", "01AB-CDEF-GHJK-MNP", "01AB-CDEF-GHJK-MNPQR", "01AB-CDEF-GHJK-MNPU", "123456"]
        {
            assert!(RecoveryCode::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn a_recovery_code_is_accepted_once_by_its_own_record() {
        let (codes, mut stored) = recovery_codes(3, 1);
        let guess = codes[1].hash(stored.salt());
        let mut other = recovery_codes(3, 2).1;
        assert!(!other.redeem(&guess, 5), "another salt");
        assert!(!other.redeem(&codes[1].hash(other.salt()), 5), "another user");
        assert!(stored.redeem(&guess, 5));
        assert_eq!((stored.left(), stored.take_unreported_use()), (2, Some(Usage { when: 5 })));
        assert_eq!(stored.take_unreported_use(), None);
        assert!(!stored.redeem(&guess, 6));
        assert!(stored.redeem(&codes[0].hash(stored.salt()), 6));
        assert!(stored.redeem(&codes[2].hash(stored.salt()), 6));
        assert_eq!(stored.left(), 0);
        assert!(!RecoveryCodes::default().redeem(&codes[0].hash([0; 16]), 6), "nobody's");
    }

    #[test]
    fn a_recovery_code_never_prints_itself() {
        let (codes, stored) = recovery_codes(1, 1);
        assert_eq!(format!("{codes:?}"), "[[redacted]]");
        assert_eq!(format!("{:?}", codes[0].hash(stored.salt())), "[redacted]");
        assert_eq!(RecoveryCode::parse(&codes[0].display()).unwrap().0, codes[0].0);
    }

    #[test]
    fn codes_are_random_in_every_character() {
        let mut symbols = [[false; 256]; CODE_LENGTH];
        for _ in 0..400 {
            let code = RecoveryCode::random(getrandom::fill).unwrap();
            for (place, byte) in code.0.iter().enumerate() {
                symbols[place][usize::from(*byte)] = true;
            }
        }
        assert!(symbols.iter().all(|place| place.iter().filter(|is_used| **is_used).count() == 32));
    }

    /// A string that grows leaves a copy behind. Nothing wipes that copy.
    #[test]
    fn the_text_of_a_code_never_grows() {
        let text = RecoveryCode(Zeroizing::new(*b"01ABCDEFGHJKMNPQ")).display();
        assert_eq!((text.len(), text.capacity()), (19, 20));
    }

    #[test]
    fn equal_codes_are_accepted_once_each() {
        let same = |bytes: &mut [u8]| {
            bytes.fill(7);
            Ok::<(), core::convert::Infallible>(())
        };
        let (codes, mut stored) = RecoveryCodes::generate(2, same).unwrap();
        for left in [1, 0] {
            assert!(stored.redeem(&codes[0].hash(stored.salt()), 5));
            assert_eq!(stored.left(), left);
        }
        assert!(!stored.redeem(&codes[0].hash(stored.salt()), 5));
    }
}
