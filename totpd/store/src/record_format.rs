//! A record as bytes. The store seals it as a whole for its key and uid, and each seed once more
//! for its factor. In a backup the record is plain, and the backup is sealed.

use std::borrow::Cow;
use std::mem;

use postcard::{from_bytes, to_extend, to_slice};
use serde::de::DeserializeOwned;
use totpd_core::factor::{Factor, FactorId};
use totpd_core::record::{Outline, Record};
use totpd_core::record_key::RecordKey;
use totpd_core::seed::Seed;

use crate::sealer::{NONCE_BYTES, SealError, Sealer, TAG_BYTES, UnsealError};

mod bytes;
#[cfg(test)]
mod restarts;
mod versions;

use versions::{Outline4, Record4};
pub(crate) use versions::{Record1, Record2, Record3};

/// Decodes the record of `uid` from bytes that are not sealed any more. The content of a sealed row
/// comes from this program, and that of a backup from its owner. The reader of both must bear
/// anything.
#[must_use]
pub fn decode_plain(bytes: &[u8], uid: u32) -> Option<Record> {
    from_bytes::<Record4<'_>>(bytes).ok()?.into_record_with_plain_seeds(uid)
}

/// The seeds of a record as it was unsealed. A change that keeps a seed keeps its sealed bytes.
#[derive(Default)]
pub(crate) struct SealedSeeds {
    uid: u32,
    seeds: Vec<(FactorId, Seed, Vec<u8>)>,
}

impl SealedSeeds {
    /// Returns the sealed bytes of the seed of `factor`, if it is the one that was unsealed there.
    fn of(&self, uid: u32, factor: &Factor) -> Option<&[u8]> {
        let is_same = |(id, seed, _): &&(FactorId, Seed, _)| {
            self.uid == uid && *id == factor.id && seed.is_clone_of(&factor.seed)
        };
        self.seeds.iter().find(is_same).map(|(_, _, sealed)| sealed.as_slice())
    }
}

/// Encodes and seals `record` for `key` alone. `seeds` are those of the record of `key` that
/// `sealer` unsealed before, or none.
///
/// # Errors
/// [`SealError`] if getrandom fails.
pub(crate) fn encode(
    record: &Record,
    seeds: &SealedSeeds,
    key: &RecordKey,
    sealer: &Sealer,
) -> Result<Vec<u8>, SealError> {
    let format = Record4::from_record(record, |factor| match seeds.of(record.uid, factor) {
        Some(sealed) => Ok(Cow::Borrowed(sealed)),
        None => {
            let aad = seed_aad(key, record.uid, &factor.id);
            sealer.seal(factor.seed.bytes(), &aad).map(Cow::Owned)
        }
    })?;
    let aad = record_aad("4", key, record.uid);
    // A slice takes the bytes with less work than a buffer that may grow.
    let mut sealed = vec![0; NONCE_BYTES + USUAL_BYTES + TAG_BYTES];
    let room = sealed.get_mut(NONCE_BYTES..NONCE_BYTES + USUAL_BYTES).ok_or(SealError::Encode)?;
    if let Ok(length) = to_slice(&format, room).map(|plain| plain.len()) {
        sealed.truncate(NONCE_BYTES + length);
        sealer.seal_in_place(&mut sealed, &aad)?;
        return Ok(sealed);
    }
    let plain =
        to_extend(&format, Vec::with_capacity(2 * USUAL_BYTES)).map_err(|_| SealError::Encode)?;
    sealer.seal(&plain, &aad)
}

/// Unseals and decodes the record of `key` and `uid`, and its seeds.
///
/// # Errors
/// [`UnsealError`] if the bytes were not sealed for that key and uid, or were changed later.
pub(crate) fn decode(
    sealed: &[u8],
    key: &RecordKey,
    uid: u32,
    sealer: &Sealer,
) -> Result<(Record, SealedSeeds), UnsealError> {
    let mut seeds = SealedSeeds { uid, seeds: Vec::new() };
    let record = unseal::<Record4<'_>>(sealed, key, uid, sealer)?.into_record(uid, |id, sealed| {
        let mut plain = sealer.unseal(&sealed, &seed_aad(key, uid, id)).ok()?;
        let seed = Seed::new(mem::take(&mut *plain))?;
        seeds.seeds.push((id.clone(), seed.clone(), sealed));
        Some(seed)
    });
    Ok((record.ok_or(UnsealError)?, seeds))
}

/// Unseals and decodes the outline of the record of `key` and `uid`. Its seeds stay sealed.
///
/// # Errors
/// Those of [`decode`].
pub(crate) fn decode_outline(
    sealed: &[u8],
    key: &RecordKey,
    uid: u32,
    sealer: &Sealer,
) -> Result<Outline, UnsealError> {
    unseal::<Outline4>(sealed, key, uid, sealer)?.into_outline(uid).ok_or(UnsealError)
}

/// Unseals the record of `key` and `uid`, as far as `T` reads it.
fn unseal<T: DeserializeOwned + From<Record4<'static>>>(
    sealed: &[u8],
    key: &RecordKey,
    uid: u32,
    sealer: &Sealer,
) -> Result<T, UnsealError> {
    // The associated data names the format: a record of one is not read as a record of another.
    if let Ok(mut plain) = sealer.unseal(sealed, &record_aad("4", key, uid)) {
        // The seeds in it are sealed. The allocator of totpd wipes the rest, so it is wiped once.
        return from_bytes(&mem::take(&mut *plain)).map_err(|_| UnsealError);
    }
    if let Ok(plain) = sealer.unseal(sealed, &record_aad("3", key, uid)) {
        let record: Record3<'static> = from_bytes(&plain).map_err(|_| UnsealError)?;
        return Ok(Record4::from(record).into());
    }
    if let Ok(plain) = sealer.unseal(sealed, &record_aad("2", key, uid)) {
        let record = from_bytes::<Record2>(&plain).map_err(|_| UnsealError)?;
        return Ok(Record4::from(Record3::from(record)).into());
    }
    let plain = sealer.unseal(sealed, &record_aad("1", key, uid))?;
    let record = from_bytes::<Record1>(&plain).map_err(|_| UnsealError)?;
    Ok(Record4::from(Record3::from(Record2::from(record))).into())
}

/// Bytes that hold the usual record.
const USUAL_BYTES: usize = 512;

/// Returns the associated data of a record. No two records share it, because neither names nor ids
/// hold a zero byte.
fn record_aad(format: &str, key: &RecordKey, uid: u32) -> Vec<u8> {
    let (row, uid) = (key.as_row_name(), uid.to_be_bytes());
    [b"totpd record ", format.as_bytes(), b"\0", row.as_bytes(), b"\0", &uid].concat()
}

fn seed_aad(key: &RecordKey, uid: u32, factor: &FactorId) -> Vec<u8> {
    let (row, uid) = (key.as_row_name(), uid.to_be_bytes());
    [b"totpd seed 1\0", row.as_bytes(), b"\0", &uid, factor.as_str().as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use totpd_core::factor::{Factor, Kind, Maker};
    use totpd_core::fixtures::{user, verified};
    use totpd_core::seed::NoSeed;

    use super::*;
    use crate::sealer::tests::sealer;

    #[test]
    fn a_factor_with_an_impossible_value_is_refused() {
        let plain = |change: &dyn Fn(&mut Factor)| {
            let mut record = Record::new(1000);
            record.factors.push(verified(Kind::Totp { period: 30 }, None));
            change(&mut record.factors[0]);
            Record3::from_record_with_plain_seeds(&record).into_record_with_plain_seeds(1000)
        };
        assert!(plain(&|_| {}).is_some());
        assert!(plain(&|factor| factor.digits = 9).is_none());
        assert!(plain(&|factor| factor.digits = 0).is_none());
        assert!(plain(&|factor| factor.kind = Kind::Totp { period: 0 }).is_none());
    }

    /// They are the records of `tests/fixtures/format-6`, unsealed.
    #[test]
    fn the_fuzz_seeds_are_records() {
        for (factors, plain) in [
            (1, &include_bytes!("../../../fuzz/seeds/record/imported")[..]),
            (1, include_bytes!("../../../fuzz/seeds/record/pending")),
            (1, include_bytes!("../../../fuzz/seeds/record/recovery-codes")),
            (1, include_bytes!("../../../fuzz/seeds/record/removed")),
            (0, include_bytes!("../../../fuzz/seeds/record/unknown-user")),
        ] {
            assert_eq!(decode_plain(plain, 1000).unwrap().factors.len(), factors);
        }
    }

    fn seal(record: &Record, sealer: &Sealer) -> Vec<u8> {
        encode(record, &SealedSeeds::default(), &user("alice"), sealer).unwrap()
    }

    #[test]
    fn a_seed_that_changes_is_sealed_again() {
        let (_folder, sealer) = sealer();
        let mut record = totpd_core::fixtures::enrolled(1000);
        record.factors.push(verified(Kind::Hotp, Some(3)));
        record.factors[1].id = FactorId::from_random([9; 5]);
        let sealed = seal(&record, &sealer);
        let (mut record, seeds) = decode(&sealed, &user("alice"), 1000, &sealer).unwrap();
        let sealed_seed = |sealed: &[u8], factor| {
            let mut seeds = Vec::new();
            let unsealed = unseal::<Record4<'_>>(sealed, &user("alice"), 1000, &sealer).unwrap();
            let _ = unsealed.into_record(1000, |_, sealed| {
                seeds.push(sealed);
                Some(NoSeed)
            });
            seeds.swap_remove(factor)
        };
        record.throttle.fail(&totpd_core::source::Source::Nowhere, 5);
        record.factors[1].seed = Seed::new(vec![7; 20]).unwrap();
        let after = encode(&record, &seeds, &user("alice"), &sealer).unwrap();
        assert_eq!(sealed_seed(&after, 0), sealed_seed(&sealed, 0));
        assert_ne!(sealed_seed(&after, 1), sealed_seed(&sealed, 1));
        let (back, _) = decode(&after, &user("alice"), 1000, &sealer).unwrap();
        assert_eq!(back.factors[1].seed.bytes(), [7; 20]);
        // A factor that takes the id of another has its own seed.
        record.factors.swap_remove(0);
        record.factors[0].id = seeds.seeds[0].0.clone();
        let after = encode(&record, &seeds, &user("alice"), &sealer).unwrap();
        let (back, _) = decode(&after, &user("alice"), 1000, &sealer).unwrap();
        assert_eq!(back.factors[0].seed.bytes(), [7; 20]);
        // A factor that takes the seed of another has its own seal, for its own id.
        let (mut record, seeds) = decode(&sealed, &user("alice"), 1000, &sealer).unwrap();
        record.factors[0].id = FactorId::from_random([8; 5]);
        let after = encode(&record, &seeds, &user("alice"), &sealer).unwrap();
        assert_ne!(sealed_seed(&after, 0), sealed_seed(&sealed, 0));
        let (back, _) = decode(&after, &user("alice"), 1000, &sealer).unwrap();
        assert_eq!(back.factors[0].seed.bytes(), record.factors[0].seed.bytes());
        // The seal of a seed names the uid too.
        let (record, seeds) = decode(&sealed, &user("alice"), 1000, &sealer).unwrap();
        let record = Record { uid: 1001, ..record };
        let after = encode(&record, &seeds, &user("alice"), &sealer).unwrap();
        assert!(decode(&after, &user("alice"), 1001, &sealer).is_ok());
    }

    #[test]
    fn a_record_opens_for_its_own_key_and_uid_alone() {
        let (_folder, sealer) = sealer();
        let mut record = Record::new(1000);
        record.factors.push(verified(Kind::Totp { period: 30 }, Some(7)));
        record.factors.push(verified(Kind::Hotp, Some(3)));
        record.factors.push(verified(Kind::Hotp, None));
        record.throttle.fail(&totpd_core::source::Source::Nowhere, 5);
        record.recovery = totpd_core::fixtures::recovery_codes(3, 1).1;
        record.retire(0, |factor| factor.kind == Kind::Hotp);
        record.factors[0].made_by = Maker::Uid(1000);
        record.trust.end();
        let sealed = seal(&record, &sealer);
        let (back, _) = decode(&sealed, &user("alice"), 1000, &sealer).unwrap();
        assert_eq!(format!("{back:?}"), format!("{record:?}"));
        assert_eq!(back.factors[0].seed.bytes(), record.factors[0].seed.bytes());
        let outline = decode_outline(&sealed, &user("alice"), 1000, &sealer).unwrap();
        assert_eq!((&outline.trust, outline.factors.len()), (&record.trust, 2));
        assert!(decode(&sealed, &user("bob"), 1000, &sealer).is_err());
        assert!(decode(&sealed, &user("alice"), 1001, &sealer).is_err());
        let seed = record.factors[0].seed.bytes();
        assert!(!sealed.windows(seed.len()).any(|window| window == seed));
    }
}
