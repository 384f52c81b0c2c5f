//! The search for the factor of a code.

use crate::code::Code;
use crate::decoy;
use crate::factor::{Factor, Match};
use crate::verification::attempt::Attempt;
use crate::verification::methods::Methods;
use crate::void_windows::VoidWindows;

/// Returns the verified factor that the code fits best, and whether the code is the last accepted
/// one of some factor ([`Factor::repeats_last_code`]). An unused code is better than a replayed
/// one. Of two such factors, one that may be used here and now is better. The older one wins a tie.
pub(super) fn best_match<'a>(
    factors: &'a mut [Factor],
    attempt: &Attempt,
    skew: u64,
    voids: &VoidWindows,
) -> (Option<(&'a mut Factor, Match)>, bool) {
    let blank = Code::blank();
    let code = attempt.code().unwrap_or(&blank);
    let (mut best, mut repeats) = (None::<(&mut Factor, Match)>, false);
    let is_usable = |factor: &Factor, counter| {
        is_allowed(factor, attempt) && !voids.include(factor.kind, counter)
    };
    for factor in factors {
        // Each factor computes all its codes. So the time does not reveal which factors are in use,
        // or match.
        let (found, is_repeat) = factor.matches_or_repeats(code, attempt.now, skew);
        repeats |= is_repeat;
        let may_match = factor.is_verified()
            && attempt.factor.as_deref().is_none_or(|id| factor.id.as_str() == id);
        let Some(found) = found.filter(|_| may_match) else { continue };
        let is_better = match (&best, found) {
            (None, _) => true,
            (Some((_, Match::Replayed)), Match::Fresh(_)) => true,
            (Some((other, Match::Fresh(before))), Match::Fresh(counter)) => {
                is_usable(factor, counter) && !is_usable(other, *before)
            }
            (Some(_), Match::Replayed) => false,
        };
        if is_better {
            best = Some((factor, found));
        }
    }
    // Any other answer costs the same work.
    (best, repeats & attempt.code().is_some())
}

/// Reports whether the factor may be used at this login, for this service, at this time.
pub(super) fn is_allowed(factor: &Factor, attempt: &Attempt) -> bool {
    may_be_used(factor, attempt.methods, attempt.service.as_deref(), attempt.now)
}

/// Reports whether the factor may be used where `methods` count, for `service`, at `now`.
pub(super) fn may_be_used(
    factor: &Factor,
    methods: Methods,
    service: Option<&str>,
    now: u64,
) -> bool {
    methods.include(factor.kind.into()) && factor.restrictions.allow(service, now)
}

/// Does the work of one factor for a user who has none.
pub(super) fn compute_decoy(attempt: &Attempt, skew: u64, voids: &VoidWindows) {
    let Some(mut decoy) = decoy::record() else { return };
    core::hint::black_box(best_match(&mut decoy.factors, attempt, skew, voids));
}
