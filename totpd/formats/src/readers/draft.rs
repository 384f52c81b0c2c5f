//! An entry as its file has it, before it is known whether it can be taken.

use totpd_core::code::DIGITS;
use totpd_core::factor::{Kind, MAX_RESYNC_SECS, PERIOD};
use totpd_core::otp::Algorithm;
use totpd_core::seed::{RECOMMENDED_SEED_BYTES, SEED_BYTES, Seed};
use totpd_core::user_name::UserName;
use zeroize::Zeroizing;

use crate::import::hash_name;
use crate::reading::{Change, Entry, ImportedFactor, Outcome, Place, Reason, ScratchCode};

/// The bytes of a seed, or why there are none.
pub(crate) type SeedBytes = Result<Zeroizing<Vec<u8>>, Reason>;

/// An entry as its file has it. An absent text has the value that apps assume.
#[derive(Debug)]
pub(crate) struct Draft {
    pub(crate) owner: Option<String>,
    pub(crate) label: String,
    pub(crate) issuer: String,
    /// `totp` or `hotp`, or what the file says instead.
    pub(crate) kind: String,
    pub(crate) algorithm: Option<String>,
    pub(crate) digits: Option<String>,
    pub(crate) period: Option<String>,
    /// The next counter of HOTP.
    pub(crate) counter: Option<String>,
    /// The last used step or counter, if the file knows it so.
    pub(crate) last_accepted: Option<u64>,
    /// The time steps or seconds that the phone is ahead.
    pub(crate) drift: ClockDrift,
    pub(crate) ahead: u64,
    pub(crate) not_before: Option<u64>,
    pub(crate) not_after: Option<u64>,
    pub(crate) scratch_codes: Vec<ScratchCode>,
    pub(crate) seed: SeedBytes,
    pub(crate) changes: Vec<Change>,
}

/// How far the clock of a phone is ahead.
#[derive(Clone, Copy, Debug)]
pub(crate) enum ClockDrift {
    Steps(i64),
    Seconds(i64),
}

impl Draft {
    /// Returns a draft of this kind and seed, with nothing else.
    pub(crate) fn new(kind: &str, seed: SeedBytes) -> Self {
        Self {
            owner: None,
            label: String::new(),
            issuer: String::new(),
            kind: kind.to_owned(),
            algorithm: None,
            digits: None,
            period: None,
            counter: None,
            last_accepted: None,
            drift: ClockDrift::Steps(0),
            ahead: 0,
            not_before: None,
            not_after: None,
            scratch_codes: Vec::new(),
            seed,
            changes: Vec::new(),
        }
    }

    /// Returns the entry, with its factor if it can be taken.
    pub(crate) fn into_entry(mut self, place: Place) -> Entry {
        let label = self.name_of(|draft| &mut draft.label);
        let issuer = self.name_of(|draft| &mut draft.issuer);
        let named = self.owner.take().filter(|owner| !owner.is_empty());
        let owner = named.as_deref().and_then(UserName::parse).map(|name| name.as_str().to_owned());
        if owner.is_none() && named.is_some() {
            self.changes.push(Change::OwnerLeft);
        }
        let outcome = match self.into_factor() {
            Ok(factor) => Outcome::Factor(Box::new(factor)),
            Err(reason) => Outcome::Left(reason),
        };
        Entry { place, owner, label, issuer, outcome }
    }

    fn into_factor(mut self) -> Result<ImportedFactor, Reason> {
        let kind = self.read_kind()?;
        let algorithm = match self.algorithm.as_deref() {
            None => Algorithm::Sha1,
            Some(name) => {
                hash_name::algorithm(name).ok_or_else(|| Reason::Algorithm(short(name)))?
            }
        };
        let digits = match self.digits.as_deref() {
            None => 6,
            Some(text) => number(text)
                .and_then(|digits| u8::try_from(digits).ok())
                .filter(|digits| DIGITS.contains(digits))
                .ok_or_else(|| Reason::Digits(short(text)))?,
        };
        let last_accepted = match kind {
            Kind::Totp { .. } => self.last_accepted,
            Kind::Hotp => self.last_counter()?,
        };
        if last_accepted.is_some_and(|last| last >= LAST_COUNTER) {
            return Err(Reason::CounterTooLarge);
        }
        let seed = self.seed?;
        if seed.len() < *SEED_BYTES.start() {
            return Err(Reason::SeedTooShort(seed.len() as u64 * 8));
        }
        if seed.len() < RECOMMENDED_SEED_BYTES {
            self.changes.push(Change::ShortSeed(seed.len() as u64 * 8));
        }
        let length = seed.len() as u64;
        let seed = Seed::new(seed.to_vec()).ok_or(Reason::SeedTooLong(length))?;
        let drift = drift(self.drift, kind)?;
        if drift != 0 {
            self.changes.push(Change::DriftKept(drift));
        }
        if self.not_before.is_some() || self.not_after.is_some() {
            self.changes.push(Change::ValidityKept);
        }
        if !self.scratch_codes.is_empty() {
            self.changes.push(Change::ScratchCodesKept(self.scratch_codes.len() as u64));
        }
        Ok(ImportedFactor {
            kind,
            algorithm,
            digits,
            seed,
            last_accepted,
            drift,
            ahead: self.ahead,
            not_before: self.not_before,
            not_after: self.not_after,
            scratch_codes: self.scratch_codes,
            changes: self.changes,
        })
    }

    fn read_kind(&self) -> Result<Kind, Reason> {
        match &*self.kind.trim().to_ascii_lowercase() {
            "hotp" => Ok(Kind::Hotp),
            "totp" => {
                let text = self.period.as_deref().unwrap_or("30");
                let period = number(text).and_then(|period| u32::try_from(period).ok());
                let period = period.filter(|period| PERIOD.contains(period));
                let period = period.ok_or_else(|| Reason::Period(short(text)))?;
                Ok(Kind::Totp { period })
            }
            _ => Err(Reason::NotOath(short(&self.kind))),
        }
    }

    /// Returns the last used counter of HOTP.
    fn last_counter(&self) -> Result<Option<u64>, Reason> {
        if self.last_accepted.is_some() {
            return Ok(self.last_accepted);
        }
        let text = self.counter.as_deref().ok_or(Reason::CounterUnknown)?.trim();
        let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let next = number(text).filter(|next| *next <= LAST_COUNTER);
        match next {
            Some(next) => Ok(next.checked_sub(1)),
            None if is_number => Err(Reason::CounterTooLarge),
            None => Err(Reason::Malformed("its counter is no number".to_owned())),
        }
    }

    /// Takes a name out of the draft, shortened to what a name may have.
    fn name_of(&mut self, field: fn(&mut Self) -> &mut String) -> String {
        let text = std::mem::take(field(self));
        let clean = short(text.trim());
        if clean != text.trim() {
            self.changes.push(Change::TextShortened);
        }
        clean
    }
}

/// Returns a number without sign.
pub(crate) fn number(text: &str) -> Option<u64> {
    let text = text.trim();
    // `parse` takes a plus sign too.
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

/// Returns the first characters of hostile text, without control characters.
pub(crate) fn short(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(MAX_CHARS).collect()
}

fn drift(drift: ClockDrift, kind: Kind) -> Result<i16, Reason> {
    let Kind::Totp { period } = kind else { return Ok(0) };
    let period = i64::from(period);
    let steps = match drift {
        ClockDrift::Steps(steps) => steps,
        ClockDrift::Seconds(seconds) => seconds.div_euclid(period),
    };
    let seconds = steps.saturating_mul(period);
    let can_be_followed = seconds.unsigned_abs() <= MAX_RESYNC_SECS;
    i16::try_from(steps).ok().filter(|_| can_be_followed).ok_or(Reason::ClockTooFar(seconds))
}

/// The greatest next counter that is taken.
const LAST_COUNTER: u64 = 1 << 63;
const MAX_CHARS: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;

    fn draft(kind: &str, bytes: usize) -> Draft {
        Draft::new(kind, Ok(Zeroizing::new(vec![7; bytes])))
    }

    fn left(draft: Draft) -> Option<Reason> {
        match draft.into_entry(Place::File).outcome {
            Outcome::Left(reason) => Some(reason),
            Outcome::Factor(_) => None,
        }
    }

    #[test]
    fn what_apps_assume_is_assumed() {
        let Outcome::Factor(factor) = draft("TOTP", 20).into_entry(Place::File).outcome else {
            panic!("left");
        };
        assert_eq!(factor.kind, Kind::Totp { period: 30 });
        assert_eq!((factor.algorithm, factor.digits), (Algorithm::Sha1, 6));
        assert_eq!((factor.last_accepted, factor.changes.len()), (None, 0));
    }

    #[test]
    fn what_cannot_be_taken_is_left_with_its_reason() {
        let with = |change: fn(&mut Draft)| {
            let mut draft = draft("totp", 20);
            change(&mut draft);
            left(draft)
        };
        let some = |text: &str| text.to_owned();
        assert_eq!(left(draft("steam", 20)), Some(Reason::NotOath(some("steam"))));
        assert_eq!(left(draft("hotp", 20)), Some(Reason::CounterUnknown));
        assert_eq!(left(draft("totp", 9)), Some(Reason::SeedTooShort(72)));
        assert_eq!(left(draft("totp", 65)), Some(Reason::SeedTooLong(65)));
        assert_eq!(with(|d| d.period = Some("0".into())), Some(Reason::Period(some("0"))));
        assert_eq!(with(|d| d.period = Some("301".into())), Some(Reason::Period(some("301"))));
        assert_eq!(with(|d| d.digits = Some("3".into())), Some(Reason::Digits(some("3"))));
        assert_eq!(with(|d| d.digits = Some("+6".into())), Some(Reason::Digits(some("+6"))));
        assert_eq!(
            with(|d| d.algorithm = Some("MD5".into())),
            Some(Reason::Algorithm(some("MD5")))
        );
        assert_eq!(with(|d| d.drift = ClockDrift::Steps(121)), Some(Reason::ClockTooFar(3630)));
        assert_eq!(
            with(|d| d.drift = ClockDrift::Steps(i64::MIN)),
            Some(Reason::ClockTooFar(i64::MIN))
        );
        assert_eq!(with(|d| d.last_accepted = Some(1 << 63)), Some(Reason::CounterTooLarge));
    }

    #[test]
    fn a_counter_is_the_next_one() {
        for (text, expected) in [
            ("0", Ok(None)),
            ("1", Ok(Some(0))),
            (" 42 ", Ok(Some(41))),
            ("9223372036854775808", Ok(Some(i64::MAX.unsigned_abs()))),
            ("9223372036854775809", Err(Reason::CounterTooLarge)),
            ("99999999999999999999999", Err(Reason::CounterTooLarge)),
            ("-1", Err(Reason::Malformed("its counter is no number".to_owned()))),
            ("", Err(Reason::Malformed("its counter is no number".to_owned()))),
        ] {
            let found =
                Draft { counter: Some(text.to_owned()), ..draft("hotp", 20) }.last_counter();
            assert_eq!(found, expected, "{text}");
        }
    }

    #[test]
    fn hostile_names_are_shortened_and_said() {
        let mut hostile = draft("totp", 10);
        hostile.label = format!("a\u{1b}[31m{}", "x".repeat(500));
        hostile.owner = Some("a/../b".to_owned());
        let entry = hostile.into_entry(Place::Line(3));
        assert_eq!((entry.label.chars().count(), entry.owner), (100, None));
        let Outcome::Factor(factor) = entry.outcome else { panic!("left") };
        assert_eq!(
            factor.changes,
            [Change::TextShortened, Change::OwnerLeft, Change::ShortSeed(80)]
        );
    }

    #[test]
    fn seconds_of_drift_become_whole_steps() {
        let totp = Kind::Totp { period: 30 };
        for (seconds, expected) in [(0, 0), (29, 0), (30, 1), (-1, -1), (-30, -1), (3600, 120)] {
            assert_eq!(drift(ClockDrift::Seconds(seconds), totp), Ok(expected), "{seconds}");
        }
        assert_eq!(drift(ClockDrift::Steps(5000), Kind::Hotp), Ok(0));
    }
}
