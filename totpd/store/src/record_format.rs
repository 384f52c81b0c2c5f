//! A record as bytes. The store seals it as a whole for its key and uid, and each seed once more
//! for its factor. In a backup the record is plain, and the backup is sealed.

use postcard::{from_bytes, to_extend};
use totpd_core::factor::FactorId;
use totpd_core::record::Record;
use totpd_core::record_key::RecordKey;

use crate::sealer::{SealError, Sealer, UnsealError};

#[cfg(test)]
mod restarts;
mod versions;

pub(crate) use versions::{Record1, Record2, Record3};

/// Decodes the record of `uid` from bytes that are not sealed any more. The content of a sealed row
/// comes from this program, and that of a backup from its owner. Both pass through this, which must
/// bear anything.
#[must_use]
pub fn decode_plain(bytes: &[u8], uid: u32) -> Option<Record> {
    from_bytes::<Record3>(bytes).ok()?.into_record_with_plain_seeds(uid)
}

/// Encodes and seals `record` for `key` alone.
///
/// # Errors
/// [`SealError`] if getrandom fails.
pub(crate) fn encode(
    record: &Record,
    key: &RecordKey,
    sealer: &Sealer,
) -> Result<Vec<u8>, SealError> {
    let format = Record3::from_record(record, |factor| {
        sealer.seal(factor.seed.bytes(), &seed_aad(key, record.uid, &factor.id))
    })?;
    let plain = to_extend(&format, Vec::new()).map_err(|_| SealError::Encode)?;
    sealer.seal(&plain, &record_aad("3", key, record.uid))
}

/// Unseals and decodes the record of `key` and `uid`.
///
/// # Errors
/// [`UnsealError`] if the bytes were not sealed for that key and uid, or were changed later.
pub(crate) fn decode(
    sealed: &[u8],
    key: &RecordKey,
    uid: u32,
    sealer: &Sealer,
) -> Result<Record, UnsealError> {
    // The associated data names the format: a record of one is not read as a record of another.
    let format: Record3 = if let Ok(plain) = sealer.unseal(sealed, &record_aad("3", key, uid)) {
        from_bytes(&plain).map_err(|_| UnsealError)?
    } else if let Ok(plain) = sealer.unseal(sealed, &record_aad("2", key, uid)) {
        Record3::from(from_bytes::<Record2>(&plain).map_err(|_| UnsealError)?)
    } else {
        let plain = sealer.unseal(sealed, &record_aad("1", key, uid))?;
        Record2::from(from_bytes::<Record1>(&plain).map_err(|_| UnsealError)?).into()
    };
    let record = format.into_record(uid, |id, sealed| {
        let seed = sealer.unseal(&sealed, &seed_aad(key, uid, id)).ok();
        seed.map(|mut seed| std::mem::take(&mut *seed))
    });
    record.ok_or(UnsealError)
}

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
        let sealed = encode(&record, &user("alice"), &sealer).unwrap();
        let back = decode(&sealed, &user("alice"), 1000, &sealer).unwrap();
        assert_eq!(format!("{back:?}"), format!("{record:?}"));
        assert_eq!(back.factors[0].seed.bytes(), record.factors[0].seed.bytes());
        assert!(decode(&sealed, &user("bob"), 1000, &sealer).is_err());
        assert!(decode(&sealed, &user("alice"), 1001, &sealer).is_err());
        let seed = record.factors[0].seed.bytes();
        assert!(!sealed.windows(seed.len()).any(|window| window == seed));
    }
}
