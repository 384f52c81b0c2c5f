//! The heart: one attempt to prove a factor. No clock, no disk, no bus.

use alloc::string::String;
use alloc::string::ToString;
use alloc::vec;

use crate::code::Code;
use crate::factor::{Drift, Factor, FactorId, Kind, LastUse, Maker, Match, Restrictions, Status};
use crate::otp::Algorithm;
use crate::record::Record;
use crate::recovery_codes::{HashedGuess, Usage};
use crate::seed::Seed;
use crate::source::Source;
use crate::throttle::{ThrottleRules, ThrottleState};

/// What was typed, as far as it can be judged.
#[derive(Debug)]
pub enum Answer {
    /// A code of a factor.
    Code(Code),
    /// A recovery code, hashed.
    Recovery(HashedGuess),
    /// Nothing, or what can be neither.
    Malformed,
}

/// One attempt, as the shell around this found it.
#[derive(Debug)]
pub struct Attempt {
    /// What was typed.
    pub answer: Answer,
    /// The only factor that counts; nothing: any.
    pub factor: Option<String>,
    /// The PAM service that asks; nothing if it does not say.
    pub service: Option<String>,
    /// Where it comes from.
    pub source: Source,
    /// The uid that the name has now.
    pub uid: u32,
    /// When, in seconds since 1970.
    pub now: u64,
}

/// What an attempt is judged by.
#[derive(Clone, Debug)]
pub struct Rules {
    /// Time steps accepted on either side of the present one.
    pub skew: u64,
    /// How wrong codes are slowed down.
    pub throttle: ThrottleRules,
}

/// What came of an attempt.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Verdict {
    /// The code was right and is used up, once the record is on disk.
    Approved {
        /// The factor that it belongs to; nothing for a recovery code.
        factor: Option<FactorId>,
        /// `totp`, `hotp` or `recovery`.
        method: &'static str,
        /// Recovery codes that are left.
        left: usize,
        /// The use of a recovery code of which the user was not told before.
        used: Option<Usage>,
    },
    /// The code was not right. The reason is for the journal, never for the person.
    Denied(Reason),
    /// Too many wrong codes. This one was neither checked nor counted.
    Throttled {
        /// Seconds until the next one is looked at; nothing: not before `totpctl unlock`.
        retry_after: Option<u64>,
    },
}

/// Why a code was not accepted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Reason {
    /// The record cannot be unsealed. The shell around this says so, when it judged by another record.
    Damaged,
    /// All factors of the user are switched off.
    Disabled,
    /// No answer, or one that cannot be a code. No guess was made, so none is counted.
    Malformed,
    /// There is no verified factor.
    NotEnrolled,
    /// The name belongs to another uid than at enrollment.
    UidChanged,
    /// The only factors are tokens that have to be resynchronized.
    Unsynchronized,
    /// Right, but of a factor that opens nothing here, or now.
    Restricted,
    /// Right, but of a seed that was brought, and from before it was: that code may have been used
    /// elsewhere. It is no guess, so it is not counted.
    NotYetUsable,
    /// Right, but of a time step that was used, or is older than one that was.
    Replayed,
    /// Right for no time step in the window.
    NoMatch,
}

/// Judges one attempt: the verdict, and the record to put on disk before anybody hears of it.
///
/// Whatever the outcome, as many codes are computed, so that the time taken says nothing.
#[must_use]
pub fn verify(mut record: Record, attempt: &Attempt, rules: &Rules) -> (Verdict, Record) {
    let now = attempt.now;
    record.throttle.expire_and_clamp(now, &rules.throttle);
    record.share_used_codes();
    let state = record.throttle.state(&attempt.source, now, &rules.throttle);
    let matched = best_match(&record, attempt, rules.skew);

    let reason = match state {
        ThrottleState::Locked => return (Verdict::Throttled { retry_after: None }, record),
        ThrottleState::Waiting(rest) => {
            return (Verdict::Throttled { retry_after: Some(rest) }, record);
        }
        ThrottleState::Open => match judge(&mut record, attempt, matched) {
            Ok(verdict) => {
                record.throttle.succeed(&attempt.source, now, &rules.throttle);
                return (verdict, record);
            }
            Err(reason @ (Reason::Malformed | Reason::NotYetUsable)) => {
                return (Verdict::Denied(reason), record);
            }
            Err(reason) => reason,
        },
    };
    record.throttle.fail(&attempt.source, now);
    (Verdict::Denied(reason), record)
}

/// The verdict on an answer that may be looked at, and its use if it is right; or why it is not.
fn judge(
    record: &mut Record,
    attempt: &Attempt,
    (index, matched): (usize, Match),
) -> Result<Verdict, Reason> {
    if matches!(attempt.answer, Answer::Malformed) {
        return Err(Reason::Malformed);
    }
    if !record.belongs_to(attempt.uid) {
        return Err(Reason::UidChanged);
    }
    if !record.is_enrolled() {
        return Err(Reason::NotEnrolled);
    }
    if record.is_disabled() {
        return Err(Reason::Disabled);
    }
    let now = attempt.now;
    if let Answer::Recovery(guess) = &attempt.answer {
        if attempt.factor.is_some() || !record.recovery.redeem(guess, now) {
            return Err(Reason::NoMatch);
        }
        let left = record.recovery.left();
        return Ok(Verdict::Approved { factor: None, method: "recovery", left, used: None });
    }
    if record.verified().next().is_none() {
        return Err(Reason::Unsynchronized);
    }
    match matched {
        Match::None => Err(Reason::NoMatch),
        Match::Replayed => {
            let factor = record.factors.get(index).ok_or(Reason::NoMatch)?;
            Err(if factor.usable_from().is_some() {
                Reason::NotYetUsable
            } else {
                Reason::Replayed
            })
        }
        Match::Fresh(counter) => {
            let factor = record.factors.get_mut(index).ok_or(Reason::NoMatch)?;
            if !factor.limits.allow(attempt.service.as_deref(), now) {
                return Err(Reason::Restricted);
            }
            factor.accept(counter, now);
            factor.last_place = Some(LastUse {
                service: short(attempt.service.as_deref().unwrap_or_default()),
                source: short(&attempt.source.to_string()),
            });
            let (id, method) = (factor.id.clone(), factor.kind.name());
            record.share_used_codes();
            let (left, used) = (record.recovery.left(), record.recovery.take_unreported_use());
            Ok(Verdict::Approved { factor: Some(id), method, left, used })
        }
    }
}

/// What is remembered of a name that somebody else chose.
fn short(text: &str) -> String {
    text.chars().take(MAX_PLACE_CHARS).collect()
}

/// The verified factor that the code fits best, by its place in the record, and how it fits: one that
/// opens something here before one that does not.
fn best_match(record: &Record, attempt: &Attempt, skew: u64) -> (usize, Match) {
    let blank = Code::parse("00000000");
    let code = match &attempt.answer {
        Answer::Code(code) => Some(code),
        Answer::Recovery(_) | Answer::Malformed => blank.as_ref(),
    };
    let Some(code) = code else { return (0, Match::None) };
    let (mut best, mut best_rank) = ((0, Match::None), 0);
    let wanted = attempt.factor.as_deref();
    for (index, factor) in record.factors.iter().enumerate() {
        let may_open =
            factor.is_verified() && wanted.is_none_or(|wanted| factor.id.as_str() == wanted);
        let matched = factor.matches(code, attempt.now, skew);
        let here = factor.limits.allow(attempt.service.as_deref(), attempt.now);
        let rank = match matched {
            Match::None => 0,
            Match::Replayed => 1,
            Match::Fresh(_) => 2 + u8::from(here),
        };
        if may_open && rank > best_rank {
            (best, best_rank) = ((index, matched), rank);
        }
    }
    if record.factors.is_empty()
        && let Some(decoy) = decoy()
    {
        // As much work for who has no factor; what comes of it is not looked at.
        core::hint::black_box(decoy.matches(code, attempt.now, skew));
    }
    best
}

/// A factor that nobody has.
fn decoy() -> Option<Factor> {
    Some(Factor {
        id: FactorId::from_random([0; 5]),
        name: String::new(),
        kind: Kind::Totp { period: 30 },
        algorithm: Algorithm::Sha1,
        digits: 6,
        seed: Seed::new(vec![0; 20])?,
        status: Status::Disabled,
        created: 0,
        last_used: None,
        last_accepted: None,
        limits: Restrictions::default(),
        drift: Drift::default(),
        last_place: None,
        made_by: Maker::Unknown,
        is_imported: false,
    })
}

/// Characters of a service or source that are remembered.
const MAX_PLACE_CHARS: usize = 64;

#[cfg(test)]
mod tests;
