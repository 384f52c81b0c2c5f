//! HOTP (RFC 4226) and TOTP (RFC 6238): the codes of a seed.

use hmac::{Hmac, Mac};
use serde::{Deserialize, Serialize};
use sha1::Sha1;
use sha2::{Sha256, Sha512};

use crate::hmac::{keyed, tag};
use crate::seed::Seed;

/// The hash of the HMAC (RFC 6238 section 1.2). Every phone app supports SHA1.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Algorithm {
    /// HMAC-SHA-1.
    #[default]
    Sha1,
    /// HMAC-SHA-256.
    Sha256,
    /// HMAC-SHA-512.
    Sha512,
}

impl Algorithm {
    /// Every algorithm.
    pub const ALL: [Self; 3] = [Self::Sha1, Self::Sha256, Self::Sha512];

    /// Returns the name that `otpauth` URIs and the bus use.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Sha1 => "SHA1",
            Self::Sha256 => "SHA256",
            Self::Sha512 => "SHA512",
        }
    }

    /// Returns the algorithm with this name, in capitals.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.name() == name)
    }

    /// Returns the length of its output in bytes. RFC 6238 section 5.1 recommends it for the seed.
    #[must_use]
    pub fn seed_length(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Sha512 => 64,
        }
    }
}

/// Returns the code of `counter` (RFC 4226 section 5.3), with `digits` (6 to 8) decimal digits.
#[must_use]
pub fn code_at(seed: &Seed, algorithm: Algorithm, counter: u64, digits: u8) -> u32 {
    match algorithm {
        Algorithm::Sha1 => value(keyed::<Hmac<Sha1>>(seed.bytes()), counter, digits),
        Algorithm::Sha256 => value(keyed::<Hmac<Sha256>>(seed.bytes()), counter, digits),
        Algorithm::Sha512 => value(keyed::<Hmac<Sha512>>(seed.bytes()), counter, digits),
    }
}

/// Returns the time step of `now` (RFC 6238 section 4.2). `now` is in seconds since 1970, `period`
/// in seconds.
#[must_use]
pub fn time_step(now: u64, period: u32) -> u64 {
    now / u64::from(period.max(1))
}

/// Returns the code of `counter`, with the key in `mac`.
pub(crate) fn value<M: Mac>(mac: M, counter: u64, digits: u8) -> u32 {
    truncate(&tag(mac, &counter.to_be_bytes())) % 10_u32.pow(u32::from(digits))
}

/// Truncates dynamically (RFC 4226 section 5.3): 31 bits at the offset in the last nibble.
fn truncate(hash: &[u8]) -> u32 {
    let offset = usize::from(hash.last().copied().unwrap_or_default() & 0x0f);
    match hash.get(offset..).and_then(|tail| tail.first_chunk::<4>()) {
        Some(bytes) => u32::from_be_bytes(*bytes) & 0x7fff_ffff,
        // Above every code of eight digits, so no code equals it.
        None => u32::MAX,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seed(length: usize) -> Seed {
        Seed::new(b"1234567890".iter().copied().cycle().take(length).collect()).unwrap()
    }

    #[test]
    fn rfc_4226_appendix_d() {
        let expected = [
            755_224, 287_082, 359_152, 969_429, 338_314, 254_676, 287_922, 162_583, 399_871,
            520_489,
        ];
        for (counter, code) in (0..).zip(expected) {
            assert_eq!(code_at(&seed(20), Algorithm::Sha1, counter, 6), code, "{counter}");
        }
    }

    #[test]
    fn rfc_6238_appendix_b() {
        let expected = [
            (59, 94_287_082, 46_119_246, 90_693_936),
            (1_111_111_109, 7_081_804, 68_084_774, 25_091_201),
            (1_111_111_111, 14_050_471, 67_062_674, 99_943_326),
            (1_234_567_890, 89_005_924, 91_819_424, 93_441_116),
            (2_000_000_000, 69_279_037, 90_698_825, 38_618_901),
            (20_000_000_000, 65_353_130, 77_737_706, 47_863_826),
        ];
        for (now, sha1, sha256, sha512) in expected {
            for (algorithm, code) in Algorithm::ALL.into_iter().zip([sha1, sha256, sha512]) {
                let seed = seed(algorithm.seed_length());
                let step = time_step(now, 30);
                assert_eq!(code_at(&seed, algorithm, step, 8), code, "{algorithm:?} at {now}");
            }
        }
    }

    #[test]
    fn an_empty_hash_matches_no_code() {
        assert!(truncate(&[]) > 99_999_999);
    }

    #[test]
    fn every_algorithm_has_its_name_in_capitals() {
        for (algorithm, name) in Algorithm::ALL.into_iter().zip(["SHA1", "SHA256", "SHA512"]) {
            assert_eq!((algorithm.name(), Algorithm::from_name(name)), (name, Some(algorithm)));
        }
        assert_eq!(Algorithm::from_name("sha1"), None);
    }
}
