//! The comparison of a typed code with the codes of a seed.
//!
//! A login, a first code and a resynchronization all compare here. `factor.rs` chooses the window
//! of counters. A recovery code is compared as a hash (`recovery_codes.rs`).

use core::ops::RangeInclusive;

use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::{Sha256, Sha512};
use subtle::{ConditionallySelectable, ConstantTimeEq};

use crate::code::Code;
use crate::hmac::keyed;
use crate::otp::{Algorithm, value};
use crate::seed::Seed;

/// Returns the counter in `window` that `code` belongs to.
///
/// If several counters have this code, the function returns the greatest one. So the code is still
/// accepted once. The time does not depend on a match or on its place. All codes are computed, and
/// compared without a branch.
#[must_use]
pub(crate) fn matching_counter(
    seed: &Seed,
    algorithm: Algorithm,
    code: &Code,
    window: RangeInclusive<u64>,
) -> Option<u64> {
    let [counter] = matching_counters(seed, algorithm, code, [window]);
    counter
}

/// Returns what [`matching_counter`] does, for each of `windows`. The key is set up once.
#[must_use]
pub(crate) fn matching_counters<const COUNT: usize>(
    seed: &Seed,
    algorithm: Algorithm,
    code: &Code,
    windows: [RangeInclusive<u64>; COUNT],
) -> [Option<u64>; COUNT] {
    match algorithm {
        Algorithm::Sha1 => search_all::<Hmac<Sha1>, COUNT>(seed, code, windows),
        Algorithm::Sha256 => search_all::<Hmac<Sha256>, COUNT>(seed, code, windows),
        Algorithm::Sha512 => search_all::<Hmac<Sha512>, COUNT>(seed, code, windows),
    }
}

/// Searches `code` in each of `windows`.
fn search_all<M: Mac + KeyInit + Clone, const COUNT: usize>(
    seed: &Seed,
    code: &Code,
    windows: [RangeInclusive<u64>; COUNT],
) -> [Option<u64>; COUNT] {
    let mac: M = keyed(seed.bytes());
    windows.map(|window| search(&mac, code, window))
}

/// Searches `code` in all of `window`, with the key in `mac`.
fn search<M: Mac + Clone>(mac: &M, code: &Code, window: RangeInclusive<u64>) -> Option<u64> {
    let mut greatest = 0_u64;
    let mut matched = subtle::Choice::from(0);
    for counter in window {
        let same = value(mac.clone(), counter, code.digits()).ct_eq(&code.value());
        greatest.conditional_assign(&counter, same);
        matched |= same;
    }
    bool::from(matched).then_some(greatest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::otp::code_at;

    #[test]
    fn a_code_that_fits_twice_is_of_the_greatest_counter() {
        let seed = Seed::new(b"12345678901234567890".to_vec()).unwrap();
        let repeated =
            (0..40_u64).find(|n| code_at(&seed, Algorithm::Sha1, *n, 6) == 755_224).unwrap();
        let code = Code::parse("755224").unwrap();
        assert_eq!(matching_counter(&seed, Algorithm::Sha1, &code, 0..=40), Some(repeated));
        assert_eq!(matching_counter(&seed, Algorithm::Sha1, &code, 1..=40), None);
    }
}
