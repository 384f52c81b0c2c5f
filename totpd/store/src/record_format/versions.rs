//! The formats of a record. A new format gets a type of its own, and every earlier one stays
//! readable. What is written is borrowed of the record.

use std::borrow::Cow;
use std::convert::Infallible;

use serde::{Deserialize, Serialize};
use totpd_core::code::DIGITS;
use totpd_core::factor::PERIOD;
use totpd_core::factor::{Drift, Factor, FactorId, Kind, LastUse, Maker, Restrictions, Status};
use totpd_core::otp::Algorithm;
use totpd_core::record::{Outline, Record, SpentSeed};
use totpd_core::recovery_codes::RecoveryCodes;
use totpd_core::remembered::Trust;
use totpd_core::seed::{NoSeed, Seed};
use totpd_core::throttle::Throttle;

use crate::record_format::bytes;

/// Format 1 of a record, which is read and no longer written.
#[derive(Deserialize, Serialize)]
pub(crate) struct Record1 {
    factors: Vec<Factor1<'static>>,
    throttle: Throttle,
}

#[derive(Deserialize, Serialize)]
struct Factor1<'a> {
    id: FactorId,
    name: Cow<'a, str>,
    kind: Kind,
    algorithm: Algorithm,
    digits: u8,
    /// Sealed in the store, plain in a backup.
    #[serde(with = "bytes")]
    seed: Cow<'a, [u8]>,
    status: Status,
    created: u64,
    last_used: Option<u64>,
    last_accepted: Option<u64>,
}

/// Format 2 of a record. It has recovery codes, and limits and drift of factors. It is read and not
/// written.
#[derive(Deserialize, Serialize)]
pub(crate) struct Record2 {
    factors: Vec<Factor2<'static>>,
    throttle: Throttle,
    recovery: RecoveryCodes,
}

#[derive(Deserialize, Serialize)]
struct Factor2<'a> {
    first: Factor1<'a>,
    limits: Cow<'a, Restrictions>,
    drift: Drift,
    last_place: Cow<'a, Option<LastUse>>,
}

/// Format 3 of a record, with the maker of each factor, and the spent seeds of removed ones. The
/// store reads it and writes it no longer. A backup has it: what is remembered of logins is of the
/// host where they were.
#[derive(Deserialize, Serialize)]
pub(crate) struct Record3<'a> {
    factors: Vec<Factor3<'a>>,
    throttle: Cow<'a, Throttle>,
    recovery: Cow<'a, RecoveryCodes>,
    spent: Cow<'a, [SpentSeed]>,
}

/// Format 4 of a record, with the remembered logins.
#[derive(Deserialize, Serialize)]
pub(crate) struct Record4<'a> {
    factors: Vec<Factor3<'a>>,
    throttle: Cow<'a, Throttle>,
    trust: Cow<'a, Trust>,
    recovery: Cow<'a, RecoveryCodes>,
    spent: Cow<'a, [SpentSeed]>,
}

/// The start of format 4: what a prompt needs. The hashes of recovery codes come behind it, and are
/// nearly all of a record.
#[derive(Deserialize)]
pub(crate) struct Outline4 {
    factors: Vec<Factor3<'static>>,
    throttle: Throttle,
    trust: Trust,
    salt: [u8; 16],
}

#[derive(Deserialize, Serialize)]
struct Factor3<'a> {
    second: Factor2<'a>,
    made_by: Maker,
    is_imported: bool,
}

impl From<Record1> for Record2 {
    fn from(old: Record1) -> Self {
        let factor = |first| Factor2 {
            first,
            limits: Cow::default(),
            drift: Drift::default(),
            last_place: Cow::default(),
        };
        let factors = old.factors.into_iter().map(factor).collect();
        Self { factors, throttle: old.throttle, recovery: RecoveryCodes::default() }
    }
}

impl From<Record2> for Record3<'_> {
    fn from(old: Record2) -> Self {
        let factor = |second| Factor3 { second, made_by: Maker::Unknown, is_imported: false };
        let factors = old.factors.into_iter().map(factor).collect();
        let (throttle, recovery) = (Cow::Owned(old.throttle), Cow::Owned(old.recovery));
        Self { factors, throttle, recovery, spent: Cow::default() }
    }
}

impl<'a> From<Record3<'a>> for Record4<'a> {
    fn from(old: Record3<'a>) -> Self {
        let Record3 { factors, throttle, recovery, spent } = old;
        Self { factors, throttle, trust: Cow::default(), recovery, spent }
    }
}

impl From<Record4<'static>> for Outline4 {
    fn from(record: Record4<'static>) -> Self {
        let Record4 { factors, throttle, trust, recovery, .. } = record;
        let (throttle, trust) = (throttle.into_owned(), trust.into_owned());
        Self { factors, throttle, trust, salt: recovery.salt() }
    }
}

impl Outline4 {
    /// Converts to the outline of `uid`, as [`Record4::into_record`] does.
    pub(super) fn into_outline(self, uid: u32) -> Option<Outline> {
        let Self { factors, throttle, trust, salt } = self;
        let recovery = Cow::Owned(RecoveryCodes::without_hashes(salt));
        let (throttle, trust) = (Cow::Owned(throttle), Cow::Owned(trust));
        let record = Record4 { factors, throttle, trust, recovery, spent: Cow::default() };
        record.into_record(uid, |_, _| Some(NoSeed))
    }
}

impl<'a> Record4<'a> {
    /// Converts `record`, with each seed as `encode_seed` writes it.
    pub(super) fn from_record<E>(
        record: &'a Record,
        mut encode_seed: impl FnMut(&'a Factor) -> Result<Cow<'a, [u8]>, E>,
    ) -> Result<Self, E> {
        let mut factors = Vec::with_capacity(record.factors.len());
        for factor in &record.factors {
            let first = Factor1 {
                id: factor.id.clone(),
                name: factor.name.as_str().into(),
                kind: factor.kind,
                algorithm: factor.algorithm,
                digits: factor.digits,
                seed: encode_seed(factor)?,
                status: factor.status,
                created: factor.created,
                last_used: factor.last_used,
                last_accepted: factor.last_accepted,
            };
            let second = Factor2 {
                first,
                limits: Cow::Borrowed(&factor.restrictions),
                drift: factor.drift,
                last_place: Cow::Borrowed(&factor.last_place),
            };
            let (made_by, is_imported) = (factor.made_by, factor.is_imported);
            factors.push(Factor3 { second, made_by, is_imported });
        }
        Ok(Self {
            factors,
            throttle: Cow::Borrowed(&record.throttle),
            trust: Cow::Borrowed(&record.trust),
            recovery: Cow::Borrowed(&record.recovery),
            spent: record.spent.as_slice().into(),
        })
    }

    /// Converts to the record of `uid`, with each seed as `decode_seed` reads it. Returns nothing
    /// if a value is outside of what a factor can have.
    pub(super) fn into_record<S>(
        self,
        uid: u32,
        mut decode_seed: impl FnMut(&FactorId, Vec<u8>) -> Option<S>,
    ) -> Option<Record<S>> {
        let mut factors = Vec::with_capacity(self.factors.len());
        for Factor3 { second, made_by, is_imported } in self.factors {
            let Factor2 { first, limits, drift, last_place } = second;
            let is_valid_period = first.kind.period().is_none_or(|period| PERIOD.contains(&period));
            if !is_valid_period || !DIGITS.contains(&first.digits) {
                return None;
            }
            factors.push(Factor {
                seed: decode_seed(&first.id, first.seed.into_owned())?,
                id: first.id,
                name: first.name.into_owned(),
                kind: first.kind,
                algorithm: first.algorithm,
                digits: first.digits,
                status: first.status,
                created: first.created,
                last_used: first.last_used,
                last_accepted: first.last_accepted,
                restrictions: limits.into_owned(),
                drift,
                last_place: last_place.into_owned(),
                made_by,
                is_imported,
            });
        }
        Some(Record {
            uid,
            factors,
            throttle: self.throttle.into_owned(),
            trust: self.trust.into_owned(),
            recovery: self.recovery.into_owned(),
            spent: self.spent.into_owned(),
        })
    }

    /// Converts to the record of `uid`, whose seeds are not sealed. Returns nothing if a seed in it
    /// cannot be one.
    pub(super) fn into_record_with_plain_seeds(self, uid: u32) -> Option<Record> {
        self.into_record(uid, |_, seed| Seed::new(seed))
    }
}

impl<'a> Record3<'a> {
    /// Converts `record` with its seeds in plain text, for a backup.
    pub(crate) fn from_record_with_plain_seeds(record: &'a Record) -> Self {
        let Ok(Record4 { factors, throttle, recovery, spent, .. }) =
            Record4::from_record(record, |factor| Ok::<_, Infallible>(factor.seed.bytes().into()));
        Self { factors, throttle, recovery, spent }
    }

    /// Converts to the record of `uid` from a backup. Returns nothing if a seed in it cannot be
    /// one.
    pub(crate) fn into_record_with_plain_seeds(self, uid: u32) -> Option<Record> {
        Record4::from(self).into_record_with_plain_seeds(uid)
    }
}
