//! A record as bytes: sealed as a whole for its subject and uid, each seed sealed once more for
//! its factor.

use postcard::{from_bytes, to_extend};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::factor::{Factor, FactorId, Kind, Status};
use crate::otp::Algorithm;
use crate::record::Record;
use crate::seal::{Sealer, Unsealable, Unsealed};
use crate::seed::Seed;
use crate::subject::Subject;
use crate::throttle::Throttle;

/// Format 1 of a record. A later format gets a type of its own, and this one stays readable.
#[derive(Deserialize, Serialize)]
struct Record1 {
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
    sealed_seed: Vec<u8>,
    status: Status,
    created: u64,
    last_used: Option<u64>,
    last_accepted: Option<u64>,
}

/// The sealed bytes of `record`, which are good for `subject` alone.
///
/// # Errors
/// [`Unsealed`] where the kernel gives no random bytes.
pub(crate) fn encode(
    record: &Record,
    subject: &Subject,
    sealer: &Sealer,
) -> Result<Vec<u8>, Unsealed> {
    let mut factors = Vec::with_capacity(record.factors.len());
    for factor in &record.factors {
        let place = seed_place(subject, record.uid, &factor.id);
        factors.push(Factor1 {
            id: factor.id.clone(),
            name: factor.name.clone(),
            kind: factor.kind,
            algorithm: factor.algorithm,
            digits: factor.digits,
            sealed_seed: sealer.seal(factor.seed.bytes(), &place)?,
            status: factor.status,
            created: factor.created,
            last_used: factor.last_used,
            last_accepted: factor.last_accepted,
        });
    }
    let format = Record1 { factors, throttle: record.throttle.clone() };
    let plain = to_extend(&format, Vec::new()).map_err(|_| Unsealed)?;
    sealer.seal(&plain, &record_place(subject, record.uid))
}

/// The record that these bytes hold for `subject` and `uid`.
///
/// # Errors
/// [`Unsealable`] if they were not written for that subject and uid under this key, or were
/// changed since.
pub(crate) fn decode(
    sealed: &[u8],
    subject: &Subject,
    uid: u32,
    sealer: &Sealer,
) -> Result<Record, Unsealable> {
    let plain = sealer.unseal(sealed, &record_place(subject, uid))?;
    let format: Record1 = from_bytes(&plain).map_err(|_| Unsealable)?;
    let mut factors = Vec::with_capacity(format.factors.len());
    for factor in format.factors {
        let place = seed_place(subject, uid, &factor.id);
        let mut seed: Zeroizing<Vec<u8>> = sealer.unseal(&factor.sealed_seed, &place)?;
        factors.push(Factor {
            id: factor.id,
            name: factor.name,
            kind: factor.kind,
            algorithm: factor.algorithm,
            digits: factor.digits,
            seed: Seed::new(std::mem::take(&mut *seed)).ok_or(Unsealable)?,
            status: factor.status,
            created: factor.created,
            last_used: factor.last_used,
            last_accepted: factor.last_accepted,
        });
    }
    Ok(Record { uid, factors, throttle: format.throttle })
}

/// No two places have the same bytes: neither names nor ids hold a zero byte.
fn record_place(subject: &Subject, uid: u32) -> Vec<u8> {
    [b"totpd record 1\0", subject.row().as_bytes(), b"\0", &uid.to_be_bytes()].concat()
}

fn seed_place(subject: &Subject, uid: u32, factor: &FactorId) -> Vec<u8> {
    let (row, uid) = (subject.row(), uid.to_be_bytes());
    [b"totpd seed 1\0", row.as_bytes(), b"\0", &uid, factor.as_str().as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::factor::tests::verified;
    use crate::seal::tests::sealer;
    use crate::user::UserName;

    fn subject(name: &str) -> Subject {
        Subject::User(UserName::parse(name).unwrap())
    }

    #[test]
    fn a_record_comes_back_for_its_own_subject_and_uid_alone() {
        let (_folder, sealer) = sealer();
        let mut record = Record::new(1000);
        record.factors.push(verified(Kind::Totp { period: 30 }, Some(7)));
        record.factors.push(verified(Kind::Hotp, None));
        record.throttle.fail(&crate::throttle::Source::Unplaced, 5);
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
