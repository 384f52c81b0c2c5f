//! A record as bytes. In the store it is sealed as a whole for its subject and uid, each seed sealed
//! once more for its factor; in a backup it is plain, and the backup is sealed.

use std::convert::Infallible;

use postcard::{from_bytes, to_extend};
use serde::{Deserialize, Serialize};
use totpd_core::code::DIGITS;
use totpd_core::factor::PERIOD;
use totpd_core::factor::{Drift, Factor, FactorId, Kind, LastUse, Maker, Restrictions, Status};
use totpd_core::otp::Algorithm;
use totpd_core::record::{Record, SpentSeed};
use totpd_core::record_key::RecordKey;
use totpd_core::recovery_codes::RecoveryCodes;
use totpd_core::seed::Seed;
use totpd_core::throttle::Throttle;

use crate::sealer::{SealError, Sealer, UnsealError};

/// Format 1 of a record, which is read and not written any more. A later format gets a type of its own,
/// and every earlier one stays readable.
#[derive(Deserialize, Serialize)]
pub(crate) struct Record1 {
    factors: Vec<Factor1>,
    throttle: Throttle,
}

#[derive(Deserialize, Serialize)]
struct Factor1 {
    id: FactorId,
    name: String,
    kind: Kind,
    algorithm: Algorithm,
    digits: u8,
    /// Sealed in the store, plain in a backup.
    seed: Vec<u8>,
    status: Status,
    created: u64,
    last_used: Option<u64>,
    last_accepted: Option<u64>,
}

/// Format 2 of a record, with recovery codes, and with limits and drift of factors; read and not written.
#[derive(Deserialize, Serialize)]
pub(crate) struct Record2 {
    factors: Vec<Factor2>,
    throttle: Throttle,
    recovery: RecoveryCodes,
}

#[derive(Deserialize, Serialize)]
struct Factor2 {
    first: Factor1,
    limits: Restrictions,
    drift: Drift,
    last_place: Option<LastUse>,
}

/// Format 3 of a record, which says who made a factor and remembers the seeds of those that are gone.
#[derive(Deserialize, Serialize)]
pub(crate) struct Record3 {
    factors: Vec<Factor3>,
    throttle: Throttle,
    recovery: RecoveryCodes,
    spent: Vec<SpentSeed>,
}

#[derive(Deserialize, Serialize)]
struct Factor3 {
    second: Factor2,
    made_by: Maker,
    is_brought: bool,
}

impl From<Record1> for Record2 {
    fn from(old: Record1) -> Self {
        let factor = |first| Factor2 {
            first,
            limits: Restrictions::default(),
            drift: Drift::default(),
            last_place: None,
        };
        let factors = old.factors.into_iter().map(factor).collect();
        Self { factors, throttle: old.throttle, recovery: RecoveryCodes::default() }
    }
}

impl From<Record2> for Record3 {
    fn from(old: Record2) -> Self {
        let factor = |second| Factor3 { second, made_by: Maker::Unknown, is_brought: false };
        let factors = old.factors.into_iter().map(factor).collect();
        Self { factors, throttle: old.throttle, recovery: old.recovery, spent: Vec::new() }
    }
}

impl Record3 {
    /// `record` with each seed as `seed` writes it.
    fn of<E>(
        record: &Record,
        mut seed: impl FnMut(&Factor) -> Result<Vec<u8>, E>,
    ) -> Result<Self, E> {
        let mut factors = Vec::with_capacity(record.factors.len());
        for factor in &record.factors {
            let first = Factor1 {
                id: factor.id.clone(),
                name: factor.name.clone(),
                kind: factor.kind,
                algorithm: factor.algorithm,
                digits: factor.digits,
                seed: seed(factor)?,
                status: factor.status,
                created: factor.created,
                last_used: factor.last_used,
                last_accepted: factor.last_accepted,
            };
            let second = Factor2 {
                first,
                limits: factor.limits.clone(),
                drift: factor.drift,
                last_place: factor.last_place.clone(),
            };
            let (made_by, is_brought) = (factor.made_by, factor.is_brought);
            factors.push(Factor3 { second, made_by, is_brought });
        }
        let (recovery, spent) = (record.recovery.clone(), record.spent.clone());
        Ok(Self { factors, throttle: record.throttle.clone(), recovery, spent })
    }

    /// The record of `uid`, with each seed as `seed` reads it; nothing if one cannot be a seed, or
    /// something else is beyond what a factor can be.
    fn record(
        self,
        uid: u32,
        mut seed: impl FnMut(&FactorId, Vec<u8>) -> Option<Vec<u8>>,
    ) -> Option<Record> {
        let mut factors = Vec::with_capacity(self.factors.len());
        for Factor3 { second, made_by, is_brought } in self.factors {
            let Factor2 { first, limits, drift, last_place } = second;
            let period_is_good = first.kind.period().is_none_or(|period| PERIOD.contains(&period));
            if !period_is_good || !DIGITS.contains(&first.digits) {
                return None;
            }
            factors.push(Factor {
                seed: Seed::new(seed(&first.id, first.seed)?)?,
                id: first.id,
                name: first.name,
                kind: first.kind,
                algorithm: first.algorithm,
                digits: first.digits,
                status: first.status,
                created: first.created,
                last_used: first.last_used,
                last_accepted: first.last_accepted,
                limits,
                drift,
                last_place,
                made_by,
                is_brought,
            });
        }
        let Self { throttle, recovery, spent, .. } = self;
        Some(Record { uid, factors, throttle, recovery, spent })
    }

    /// `record` with its seeds in the clear, for a backup.
    pub(crate) fn plain(record: &Record) -> Self {
        let Ok(plain) = Self::of(record, |factor| Ok::<_, Infallible>(factor.seed.bytes().into()));
        plain
    }

    /// The record of `uid` from a backup; nothing if a seed in it cannot be one.
    pub(crate) fn record_of_plain(self, uid: u32) -> Option<Record> {
        self.record(uid, |_, seed| Some(seed))
    }
}

/// The record of `uid` in the bytes of one that is not sealed any more; nothing if there is none. What
/// a sealed row holds was written by this program, and what a backup holds by its owner: both go
/// through this decoding, which must bear anything.
#[must_use]
pub fn decode_plain(bytes: &[u8], uid: u32) -> Option<Record> {
    from_bytes::<Record3>(bytes).ok()?.record_of_plain(uid)
}

/// The sealed bytes of `record`, which are good for `subject` alone.
///
/// # Errors
/// [`SealError`] where the kernel gives no random bytes.
pub(crate) fn encode(
    record: &Record,
    subject: &RecordKey,
    sealer: &Sealer,
) -> Result<Vec<u8>, SealError> {
    let format = Record3::of(record, |factor| {
        sealer.seal(factor.seed.bytes(), &seed_aad(subject, record.uid, &factor.id))
    })?;
    let plain = to_extend(&format, Vec::new()).map_err(|_| SealError)?;
    sealer.seal(&plain, &record_aad(3, subject, record.uid))
}

/// The record that these bytes hold for `subject` and `uid`.
///
/// # Errors
/// [`UnsealError`] if they were not written for that subject and uid under this key, or were
/// changed since.
pub(crate) fn decode(
    sealed: &[u8],
    subject: &RecordKey,
    uid: u32,
    sealer: &Sealer,
) -> Result<Record, UnsealError> {
    // The place says the format: a record of one is not taken for a record of another.
    let format: Record3 = if let Ok(plain) = sealer.unseal(sealed, &record_aad(3, subject, uid)) {
        from_bytes(&plain).map_err(|_| UnsealError)?
    } else if let Ok(plain) = sealer.unseal(sealed, &record_aad(2, subject, uid)) {
        Record3::from(from_bytes::<Record2>(&plain).map_err(|_| UnsealError)?)
    } else {
        let plain = sealer.unseal(sealed, &record_aad(1, subject, uid))?;
        Record2::from(from_bytes::<Record1>(&plain).map_err(|_| UnsealError)?).into()
    };
    let record = format.record(uid, |id, sealed| {
        let seed = sealer.unseal(&sealed, &seed_aad(subject, uid, id)).ok();
        seed.map(|mut seed| std::mem::take(&mut *seed))
    });
    record.ok_or(UnsealError)
}

/// No two places have the same bytes: neither names nor ids hold a zero byte.
fn record_aad(format: u8, subject: &RecordKey, uid: u32) -> Vec<u8> {
    let format = format!("totpd record {format}\0");
    [format.as_bytes(), subject.as_row_name().as_bytes(), b"\0", &uid.to_be_bytes()].concat()
}

fn seed_aad(subject: &RecordKey, uid: u32, factor: &FactorId) -> Vec<u8> {
    let (row, uid) = (subject.as_row_name(), uid.to_be_bytes());
    [b"totpd seed 1\0", row.as_bytes(), b"\0", &uid, factor.as_str().as_bytes()].concat()
}

#[cfg(test)]
mod restarts;
#[cfg(test)]
mod tests {
    use totpd_core::fixtures::verified;
    use totpd_core::user_name::UserName;

    use super::*;
    use crate::sealer::tests::sealer;

    fn subject(name: &str) -> RecordKey {
        RecordKey::User(UserName::parse(name).unwrap())
    }

    #[test]
    fn no_factor_comes_back_that_cannot_be() {
        let plain = |change: &dyn Fn(&mut Factor)| {
            let mut record = Record::new(1000);
            record.factors.push(verified(Kind::Totp { period: 30 }, None));
            change(&mut record.factors[0]);
            Record3::plain(&record).record_of_plain(1000)
        };
        assert!(plain(&|_| {}).is_some());
        assert!(plain(&|factor| factor.digits = 9).is_none());
        assert!(plain(&|factor| factor.digits = 0).is_none());
        assert!(plain(&|factor| factor.kind = Kind::Totp { period: 0 }).is_none());
    }

    #[test]
    fn a_record_comes_back_for_its_own_subject_and_uid_alone() {
        let (_folder, sealer) = sealer();
        let mut record = Record::new(1000);
        record.factors.push(verified(Kind::Totp { period: 30 }, Some(7)));
        record.factors.push(verified(Kind::Hotp, Some(3)));
        record.factors.push(verified(Kind::Hotp, None));
        record.throttle.fail(&totpd_core::source::Source::Nowhere, 5);
        record.recovery = totpd_core::fixtures::recovery_codes(3, 1).1;
        record.retire(|factor| factor.kind == Kind::Hotp);
        record.factors[0].made_by = Maker::Uid(1000);
        let sealed = encode(&record, &subject("alice"), &sealer).unwrap();
        let back = decode(&sealed, &subject("alice"), 1000, &sealer).unwrap();
        assert_eq!(format!("{back:?}"), format!("{record:?}"));
        assert_eq!(back.factors[0].seed.bytes(), record.factors[0].seed.bytes());
        assert!(decode(&sealed, &subject("bob"), 1000, &sealer).is_err());
        assert!(decode(&sealed, &subject("alice"), 1001, &sealer).is_err());
        let seed = record.factors[0].seed.bytes();
        assert!(!sealed.windows(seed.len()).any(|window| window == seed));
    }
}
