//! Factors, rules and codes that the tests of all crates share.
#![allow(clippy::unwrap_used, reason = "tests")]

use alloc::format;
use alloc::vec;
use alloc::vec::Vec;

use crate::code::Code;
use crate::factor::{Drift, Factor, FactorId, Kind, Maker, Restrictions, Status};
use crate::otp::{Algorithm, code_at};
use crate::record::Record;
use crate::record_key::RecordKey;
use crate::recovery_codes::{RecoveryCode, RecoveryCodes};
use crate::seed::Seed;
use crate::throttle::ThrottleRules;
use crate::user_name::UserName;

/// The rules of the default configuration.
pub const THROTTLE_RULES: ThrottleRules = ThrottleRules {
    free_failures: 3,
    first_wait: 30,
    longest_wait: 3600,
    lock_after: 100,
    known_source: 30 * 86_400,
};

/// Returns a verified factor that root made, with the seed of RFC 4226 appendix D.
#[must_use]
pub fn verified(kind: Kind, last_accepted: Option<u64>) -> Factor {
    Factor {
        id: FactorId::from_random([1, 2, 3, 4, 5]),
        name: "test".into(),
        kind,
        algorithm: Algorithm::Sha1,
        digits: 6,
        seed: Seed::new(b"12345678901234567890".to_vec()).unwrap(),
        status: Status::Verified,
        created: 0,
        last_used: None,
        last_accepted,
        restrictions: Restrictions::default(),
        drift: Drift::default(),
        last_place: None,
        made_by: Maker::Root,
        is_imported: false,
    }
}

/// Returns the code of `factor` at a counter or time step.
#[must_use]
pub fn code_of(factor: &Factor, counter: u64) -> Code {
    let value = code_at(&factor.seed, factor.algorithm, counter, factor.digits);
    Code::parse(&format!("{value:0width$}", width = usize::from(factor.digits))).unwrap()
}

/// Returns a record with one verified TOTP factor, with a period of 30 s.
#[must_use]
pub fn enrolled(uid: u32) -> Record {
    let factors = vec![verified(Kind::Totp { period: 30 }, None)];
    Record { factors, ..Record::new(uid) }
}

/// Returns the key of a user's record.
#[must_use]
pub fn user(name: &str) -> RecordKey {
    RecordKey::User(UserName::parse(name).unwrap())
}

/// Returns recovery codes, different ones for each `seed`, and their hashes.
#[must_use]
pub fn recovery_codes(count: u32, seed: u64) -> (Vec<RecoveryCode>, RecoveryCodes) {
    let mut state = seed | 1;
    let fill = |bytes: &mut [u8]| {
        for byte in bytes {
            // xorshift64 (Marsaglia, 2003): a test only needs bytes that differ.
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            *byte = state.to_be_bytes()[3];
        }
        Ok::<(), core::convert::Infallible>(())
    };
    RecoveryCodes::generate(count, fill).unwrap()
}
