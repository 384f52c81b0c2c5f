//! Shadow mode: another module decides about a login, and the verdict here is only noted.
//!
//! [`judge`] judges as [`verify`] does, and keeps two things of it: that a right code is used up,
//! and the verdict. Wrong codes do not count here, because the other module counts them.

use core::hint::black_box;

use crate::code::Code;
use crate::code_comparison::matching_counter;
use crate::decoy;
use crate::factor::{Factor, Kind, MAX_RESYNC_SECS};
use crate::otp::time_step;
use crate::record::Record;
use crate::shadow::Cause;
use crate::verification::{Answer, Attempt, Reason, Rules, Verdict, verify};
use crate::void_windows::VoidWindows;

/// Judges the code of a login that another module decides, and notes the verdict under `nonce`.
/// `is_let_by` says that a rule asks for no code here.
///
/// A right code is used up, because the other module accepts it too. No wrong code counts, no wait
/// holds, and no factor becomes good or bad by it. The work is the same for right and wrong codes.
#[must_use]
pub fn judge(
    mut record: Record,
    attempt: &Attempt,
    rules: &Rules,
    voids: &VoidWindows,
    is_let_by: bool,
    nonce: [u8; 16],
) -> Record {
    let (verdict, after) =
        verify(Record { throttle: <_>::default(), ..record.clone() }, attempt, rules, voids);
    let cause = cause(&record, attempt, &verdict, rules.skew);
    let refused_by = cause.filter(|_| !is_let_by);
    if matches!(verdict, Verdict::Approved { .. }) {
        match verdict {
            Verdict::Approved { factor: None, .. } => record.recovery = after.recovery,
            _ => record.factors = after.factors,
        }
    }
    record.shadow.note(nonce, attempt.now, refused_by);
    record
}

/// Returns why `verdict` refuses; nothing if it approves. All answers cost the same work.
fn cause(record: &Record, attempt: &Attempt, verdict: &Verdict, skew: u64) -> Option<Cause> {
    let blank = Code::blank();
    let code = match &attempt.answer {
        Answer::Code(code) | Answer::CodeOrScratch(code, _) => code,
        _ => &blank,
    };
    if record.factors.is_empty()
        && let Some(decoy) = decoy::record()
    {
        black_box(miss(&decoy, code, attempt.now, skew));
    }
    let miss = miss(record, code, attempt.now, skew);
    let reason = match verdict {
        Verdict::Approved { .. } => return None,
        // Its records are void, so the code counts as used.
        Verdict::Void { .. } | Verdict::Throttled { .. } => return Some(Cause::Used),
        Verdict::Denied(reason) => reason,
    };
    Some(match reason {
        Reason::NotEnrolled if record.factors.is_empty() => Cause::NoFactor,
        Reason::NotEnrolled => Cause::Unconfirmed,
        Reason::CodeVoid | Reason::NotYetUsable | Reason::Replayed => Cause::Used,
        Reason::NoMatch => miss,
        Reason::BlockedBySshd | Reason::Malformed | Reason::NoRecoveryCode => Cause::Wrong,
        Reason::Disabled
        | Reason::RecoveryNotAllowed
        | Reason::Restricted
        | Reason::UidChanged
        | Reason::Unsynchronized => Cause::NotAllowed,
    })
}

/// Returns by what `code` misses the verified factors: the least of it, if there are several.
fn miss(record: &Record, code: &Code, now: u64, skew: u64) -> Cause {
    let verified = record.factors.iter().filter(|factor| factor.is_verified());
    let misses = verified.map(|factor| match steps_away(factor, code, now) {
        _ if code.digits() != factor.digits => Cause::Digits,
        Some(steps) if steps <= skew + WIDEST_WINDOW => Cause::Window,
        Some(_) if factor.kind == Kind::Hotp => Cause::Window,
        Some(_) => Cause::Clock,
        None => Cause::Wrong,
    });
    let order = [Cause::Window, Cause::Clock, Cause::Digits, Cause::Wrong];
    let place = |cause: &Cause| order.iter().position(|other| other == cause);
    misses.min_by_key(place).unwrap_or(Cause::Wrong)
}

/// Returns the steps between now and the time at which `code` is right, within an hour. A token
/// that counts presses may be as many presses ahead.
fn steps_away(factor: &Factor, code: &Code, now: u64) -> Option<u64> {
    let (step, reach) = match factor.kind {
        Kind::Totp { period } => {
            let step = factor.drift.apply(time_step(now, period));
            (step, MAX_RESYNC_SECS / u64::from(period.max(1)))
        }
        Kind::Hotp => (factor.last_accepted.unwrap_or(0), HOTP_REACH),
    };
    let window = step.saturating_sub(reach)..=step.saturating_add(reach);
    matching_counter(&factor.seed, factor.algorithm, code, window)
        .map(|counter| counter.abs_diff(step))
}

/// Steps beyond the window here. Few set a wider one: it is 17 codes at most by the questions of
/// google-authenticator, and 11 by default for pam_oath.
const WIDEST_WINDOW: u64 = 10;
/// Presses. Both modules search fewer by default.
const HOTP_REACH: u64 = 100;

#[cfg(test)]
mod tests;
