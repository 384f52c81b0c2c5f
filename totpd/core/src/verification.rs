//! The verification of one code: a pure function from a record and an attempt to a verdict and a
//! record.

use crate::factor::{Factor, FactorId, LastUse, Match};
use crate::mark::UsedCode;
use crate::record::Record;
use crate::recovery_codes::HashedGuess;
use crate::throttle::ThrottleState;
pub use crate::verification::attempt::{Answer, Attempt, Rules};
use crate::verification::best_match::{best_match, compute_decoy, is_allowed};
pub use crate::verification::methods::Methods;
pub use crate::verification::prospect::prospect;
use crate::verification::refusal::refusal_of_any;
pub use crate::verification::verdict::{Method, Reason, Verdict};
use crate::void_windows::VoidWindows;

mod attempt;
mod best_match;
mod methods;
mod prospect;
mod refusal;
mod verdict;

/// Judges one attempt outside of `voids`. Returns the verdict and the record. The record must be on
/// disk before anybody learns the verdict, unless its login leans on a [mark](crate::mark).
///
/// The work is the same for unknown, unenrolled, enrolled and throttled users. So the time does not
/// tell them apart.
///
/// # Examples
/// ```
/// use totpd_core::code::Code;
/// use totpd_core::source::Source;
/// use totpd_core::verification::{
///     Answer, Attempt, Method, Methods, Reason, Rules, Verdict, verify,
/// };
/// use totpd_core::void_windows::VoidWindows;
/// # use totpd_core::factor::{Drift, Factor, FactorId, Kind, Maker, Restrictions, Status};
/// # use totpd_core::otp::Algorithm;
/// # use totpd_core::record::Record;
/// # use totpd_core::seed::Seed;
/// # use totpd_core::throttle::ThrottleRules;
/// # let mut record = Record::new(1000);
/// # record.factors.push(Factor {
/// #     id: FactorId::from_random([1; 5]),
/// #     name: "phone".into(),
/// #     kind: Kind::Totp { period: 30 },
/// #     algorithm: Algorithm::Sha1,
/// #     digits: 8,
/// #     seed: Seed::new(b"12345678901234567890".to_vec()).unwrap(),
/// #     status: Status::Verified,
/// #     created: 0,
/// #     last_used: None,
/// #     last_accepted: None,
/// #     restrictions: Restrictions::default(),
/// #     drift: Drift::default(),
/// #     last_place: None,
/// #     made_by: Maker::Root,
/// #     is_imported: false,
/// # });
/// # let throttle = ThrottleRules {
/// #     free_failures: 3,
/// #     first_wait: 30,
/// #     longest_wait: 3600,
/// #     lock_after: 100,
/// #     known_source: 30 * 86_400,
/// # };
/// let rules = Rules { skew: 1, throttle };
/// // The first row of RFC 6238 appendix B.
/// let attempt = Attempt {
///     answer: Code::parse("94287082").map_or(Answer::Malformed, Answer::Code),
///     factor: None,
///     methods: Methods::ALL,
///     service: Some("sshd".into()),
///     source: Source::Nowhere,
///     uid: 1000,
///     now: 59,
/// };
/// let (verdict, record) = verify(record, &attempt, &rules, &VoidWindows::NONE);
/// assert!(matches!(verdict, Verdict::Approved { method: Method::Totp, .. }));
/// // The new record knows the code, so the code works once.
/// let (verdict, _) = verify(record, &attempt, &rules, &VoidWindows::NONE);
/// assert_eq!(verdict, Verdict::Denied(Reason::Replayed));
/// ```
#[must_use]
pub fn verify(
    mut record: Record,
    attempt: &Attempt,
    rules: &Rules,
    voids: &VoidWindows,
) -> (Verdict, Record) {
    let now = attempt.now;
    record.share_used_codes();
    let state = record.throttle.state(&attempt.source, now, &rules.throttle);
    let refusal = refusal(&record, attempt);
    if record.factors.is_empty() {
        compute_decoy(attempt, rules.skew, voids);
    }
    let is_owner = record.belongs_to(attempt.uid);
    let void = voids.wait(&record, now);
    let (best, repeats) = best_match(&mut record.factors, attempt, rules.skew, voids);
    let repeats = repeats & is_owner;

    match state {
        ThrottleState::Open => {}
        ThrottleState::Locked => return (Verdict::Throttled { retry_after: None }, record),
        ThrottleState::Waiting(seconds) => {
            return (Verdict::Throttled { retry_after: Some(seconds) }, record);
        }
    }
    // Nobody can tell a guess from a code that was used, so no code is judged.
    if let (Some(retry_after), false) = (void, matches!(attempt.answer, Answer::Recovery(_))) {
        return (Verdict::Void { retry_after }, record);
    }
    let judged = match (&attempt.answer, refusal) {
        (Answer::BlockedBySshd, _) => Err(Reason::BlockedBySshd),
        (Answer::Malformed, _) => Err(Reason::Malformed),
        (_, Some(reason)) => Err(reason),
        // Even if it is by chance a fresh one. Otherwise it is a guess at each step that costs
        // nothing.
        (Answer::Code(_) | Answer::CodeOrScratch(..), None)
            if repeats && !matches!(best, Some((_, Match::Replayed))) =>
        {
            Err(Reason::Replayed)
        }
        (Answer::Code(_), None) => {
            use_code(best, attempt, voids).map(|used| approve_code(&mut record, used))
        }
        (Answer::CodeOrScratch(_, guess), None) => match use_code(best, attempt, voids) {
            Err(Reason::NoMatch) => {
                redeem(&mut record, guess, attempt).map_err(|_| no_match(&record))
            }
            used => used.map(|used| approve_code(&mut record, used)),
        },
        (Answer::Recovery(guess), None) => redeem(&mut record, guess, attempt),
    };
    match judged {
        Ok(verdict) => {
            record.throttle.succeed(&attempt.source, now, &rules.throttle);
            (verdict, record)
        }
        Err(reason) => {
            // Where no method counts, no answer is a guess.
            if reason.counts() && !repeats && attempt.methods != Methods::NONE {
                record.throttle.fail(&attempt.source, now);
            }
            (Verdict::Denied(reason), record)
        }
    }
}

/// Returns the reason why the record accepts no answer of this kind, for any content of the answer.
fn refusal(record: &Record, attempt: &Attempt) -> Option<Reason> {
    let unsynchronized = || {
        let is_code = matches!(attempt.answer, Answer::Code(_));
        (is_code && record.verified().next().is_none()).then_some(Reason::Unsynchronized)
    };
    refusal_of_any(record, attempt.uid).or_else(unsynchronized)
}

/// Returns the reason why digits are neither a code nor a scratch code.
fn no_match(record: &Record) -> Reason {
    match record.verified().next() {
        Some(_) => Reason::NoMatch,
        None => Reason::Unsynchronized,
    }
}

/// What was used up: the id of the factor, its method, and its code.
type Used = (FactorId, Method, Option<UsedCode>);

/// Uses up the code that was found.
fn use_code(
    best: Option<(&mut Factor, Match)>,
    attempt: &Attempt,
    voids: &VoidWindows,
) -> Result<Used, Reason> {
    let (factor, found) = best.ok_or(Reason::NoMatch)?;
    let counter = match found {
        Match::Fresh(counter) if voids.include(factor.kind, counter) => {
            return Err(Reason::CodeVoid);
        }
        Match::Fresh(counter) => counter,
        Match::Replayed if factor.usable_from().is_some() => return Err(Reason::NotYetUsable),
        Match::Replayed => return Err(Reason::Replayed),
    };
    if !is_allowed(factor, attempt) {
        return Err(Reason::Restricted);
    }
    let before = factor.drift;
    factor.accept(counter, attempt.now);
    factor.last_place = Some(LastUse::new(attempt.service.as_deref(), &attempt.source));
    Ok((factor.id.clone(), factor.kind.into(), UsedCode::last_of(factor, before)))
}

fn approve_code(record: &mut Record, (factor, method, used): Used) -> Verdict {
    record.share_used_codes();
    Verdict::Approved {
        factor: Some(factor),
        used,
        method,
        recovery_codes_left: record.recovery.left(),
        unreported_use: record.recovery.take_unreported_use(),
    }
}

/// Uses up a recovery code, if they count at this login. A login that names a factor accepts codes
/// of that factor alone.
fn redeem(record: &mut Record, guess: &HashedGuess, attempt: &Attempt) -> Result<Verdict, Reason> {
    if !attempt.methods.include(Method::Recovery) {
        return Err(Reason::RecoveryNotAllowed);
    }
    if attempt.factor.is_some() || !record.recovery.redeem(guess, attempt.now) {
        return Err(Reason::NoRecoveryCode);
    }
    Ok(Verdict::Approved {
        factor: None,
        used: None,
        method: Method::Recovery,
        recovery_codes_left: record.recovery.left(),
        unreported_use: None,
    })
}

#[cfg(test)]
mod tests;
