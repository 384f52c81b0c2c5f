//! A factor: a seed, its parameters, and its state.

use alloc::string::String;
use core::ops::RangeInclusive;

use crate::code::Code;
use crate::code_comparison::{matching_counter, matching_counters};
pub use crate::factor::clock_drift::{Drift, MAX_DRIFT_SECS, MAX_RESYNC_SECS, MAX_SKEW};
pub use crate::factor::id::FactorId;
pub use crate::factor::kind::{Kind, PERIOD};
pub use crate::factor::login_token::{LoginToken, TokenDigest};
pub use crate::factor::maker::{LoginNonce, Maker};
pub use crate::factor::restrictions::{LastUse, Restrictions};
pub use crate::factor::status::Status;
use crate::otp::{Algorithm, time_step};
use crate::seed::Seed;

mod clock_drift;
mod id;
mod kind;
mod login_token;
mod maker;
mod restrictions;
mod status;

/// A factor: one seed, its parameters, and its state. With [`NoSeed`](crate::seed::NoSeed) in the
/// place of the seed it has no codes.
#[derive(Clone, Debug)]
pub struct Factor<S = Seed> {
    /// The id.
    pub id: FactorId,
    /// The name that its owner chose ("Pixel"); may be empty.
    pub name: String,
    /// TOTP or HOTP.
    pub kind: Kind,
    /// The hash of the HMAC.
    pub algorithm: Algorithm,
    /// The number of decimal digits of a code, 6 to 8.
    pub digits: u8,
    /// The shared secret.
    pub seed: S,
    /// The status.
    pub status: Status,
    /// The time of creation, in seconds since 1970.
    pub created: u64,
    /// The time of the last accepted code, in seconds since 1970.
    pub last_used: Option<u64>,
    /// The last accepted time step or counter. Only a greater one is accepted.
    pub last_accepted: Option<u64>,
    /// The times and services of the factor.
    pub restrictions: Restrictions,
    /// The drift of its clock, learned from its right codes.
    pub drift: Drift,
    /// The service and the source of the last accepted code.
    pub last_place: Option<LastUse>,
    /// The maker.
    pub made_by: Maker,
    /// True if the seed was imported. Its codes may then be used elsewhere.
    pub is_imported: bool,
}

/// The relation of a right code to the codes that the factor accepted before.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Match {
    /// The code belongs to this counter or time step, which is above the last accepted one.
    Fresh(u64),
    /// The code belongs to a counter or time step that is not above the last accepted one.
    Replayed,
}

impl<S> Factor<S> {
    /// Reports whether a login accepts codes of this factor.
    #[must_use]
    pub fn is_verified(&self) -> bool {
        self.status == Status::Verified
    }

    /// Reports whether the factor is not confirmed yet.
    #[must_use]
    pub fn is_pending(&self) -> bool {
        matches!(self.status, Status::AwaitsLogin { .. } | Status::Unverified { .. })
    }
}

impl Factor {
    /// Returns the factor with `seed` in the place of its seed.
    pub(crate) fn with_seed<S>(self, seed: S) -> Factor<S> {
        Factor {
            id: self.id,
            name: self.name,
            kind: self.kind,
            algorithm: self.algorithm,
            digits: self.digits,
            seed,
            status: self.status,
            created: self.created,
            last_used: self.last_used,
            last_accepted: self.last_accepted,
            restrictions: self.restrictions,
            drift: self.drift,
            last_place: self.last_place,
            made_by: self.made_by,
            is_imported: self.is_imported,
        }
    }

    /// Reports whether the factor waits for its first code.
    #[must_use]
    pub fn awaits_first_code(&self) -> bool {
        matches!(self.status, Status::Unverified { .. })
    }

    /// Returns the time of the first code that cannot be used elsewhere, in seconds since 1970.
    ///
    /// `None` if the seed was not imported, if a code was accepted here, and while the factor is
    /// pending.
    #[must_use]
    pub fn usable_from(&self) -> Option<u64> {
        let is_unused = self.is_imported && self.last_used.is_none() && !self.is_pending();
        let period = self.kind.period().filter(|_| is_unused)?;
        let first = self.last_accepted?.saturating_add(1);
        Some(first.saturating_mul(u64::from(period)))
    }

    /// Compares `code` at `now` (seconds since 1970); `None` if it is wrong.
    ///
    /// `skew` is the number of time steps accepted on either side (RFC 6238 section 5.2). The
    /// look-ahead of HOTP (RFC 4226 section 7.4) is 10. The whole window is computed, with
    /// or without a match.
    #[must_use]
    pub fn matches(&self, code: &Code, now: u64, skew: u64) -> Option<Match> {
        let counter = matching_counter(&self.seed, self.algorithm, code, self.window(now, skew));
        self.match_at(code, counter)
    }

    /// Returns what [`Factor::matches`] and [`Factor::repeats_last_code`] do, for the work of one
    /// key.
    #[must_use]
    pub fn matches_or_repeats(&self, code: &Code, now: u64, skew: u64) -> (Option<Match>, bool) {
        let windows = [self.window(now, skew), self.last_window()];
        let [counter, last] = matching_counters(&self.seed, self.algorithm, code, windows);
        (self.match_at(code, counter), self.is_repeated(code, last))
    }

    /// Returns what it means that `code` is the code of `counter`.
    fn match_at(&self, code: &Code, counter: Option<u64>) -> Option<Match> {
        let counter = counter.filter(|_| code.digits() == self.digits)?;
        Some(match self.last_accepted {
            Some(last) if counter <= last => Match::Replayed,
            _ => Match::Fresh(counter),
        })
    }

    /// Reports whether `code` is the code of the last accepted counter or time step, at any later
    /// time. A client that sends its code again does not guess.
    ///
    /// The work is the same for every factor, also for one that accepted no code.
    #[must_use]
    pub fn repeats_last_code(&self, code: &Code) -> bool {
        let found = matching_counter(&self.seed, self.algorithm, code, self.last_window());
        self.is_repeated(code, found)
    }

    fn is_repeated(&self, code: &Code, found: Option<u64>) -> bool {
        let has_last = self.last_accepted.is_some() && !self.is_pending();
        found.is_some() & has_last & (code.digits() == self.digits)
    }

    /// Returns the window of the last accepted counter alone, or of another one if there is none.
    fn last_window(&self) -> RangeInclusive<u64> {
        let last = self.last_accepted.unwrap_or(0);
        last..=last
    }

    /// Uses up the right code of `counter` at `now` (seconds since 1970).
    pub fn accept(&mut self, counter: u64, now: u64) {
        self.note_use(counter, now);
        if let Kind::Totp { period } = self.kind {
            self.drift.observe(counter, time_step(now, period), period);
        }
    }

    /// Notes that a code of `counter` was used up at `now` (seconds since 1970), for no service.
    ///
    /// Every use has its time, because a restoration tells by it which counters are real
    /// ([`Factor::greatest_used_counter`]).
    pub(crate) fn note_use(&mut self, counter: u64, now: u64) {
        self.last_accepted = Some(counter);
        self.last_used = Some(now);
        self.last_place = None;
    }

    /// Returns the greatest counter that a code can have led to at the last known use, or at the
    /// creation.
    pub(crate) fn greatest_used_counter(&self) -> u64 {
        let Kind::Totp { period } = self.kind else { return u64::MAX };
        let latest = self.created.max(self.last_used.unwrap_or(0));
        let ahead = self.drift.steps_ahead(period).saturating_add(MAX_SKEW.into());
        time_step(latest, period).saturating_add(ahead)
    }

    /// Returns the greatest counter that a code can have led to by `now` (seconds since 1970).
    ///
    /// A clock of this machine that ran ahead marks time steps of years to come as used. They are
    /// beyond all times known of the factor.
    pub(crate) fn counter_limit(&self, now: u64) -> u64 {
        let Kind::Totp { period } = self.kind else { return u64::MAX };
        let latest = now.max(self.created).max(self.last_used.unwrap_or(0));
        time_step(latest, period).saturating_add(self.drift.reach(period))
    }

    fn window(&self, now: u64, skew: u64) -> RangeInclusive<u64> {
        match self.kind {
            Kind::Hotp => {
                // The last counter is in the window, to tell a replayed code from a wrong one.
                let last = self.last_accepted.unwrap_or(0);
                last..=last.saturating_add(HOTP_LOOK_AHEAD)
            }
            Kind::Totp { period } => {
                let step = self.drift.apply(time_step(now, period));
                step.saturating_sub(skew)..=step.saturating_add(skew)
            }
        }
    }
}

/// The number of presses of a token that may be skipped (RFC 4226 section 7.4).
const HOTP_LOOK_AHEAD: u64 = 10;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{code_of, verified};

    #[test]
    fn a_time_step_matches_within_the_skew_above_the_last() {
        let now = 30_000; // step 1000
        for (last, step, expected) in [
            (None, 1000, Some(Match::Fresh(1000))),
            (None, 999, Some(Match::Fresh(999))),
            (None, 1001, Some(Match::Fresh(1001))),
            (None, 998, None),
            (None, 1002, None),
            (Some(999), 1000, Some(Match::Fresh(1000))),
            (Some(1000), 1000, Some(Match::Replayed)),
            (Some(1001), 1000, Some(Match::Replayed)),
            (Some(u64::MAX), 1000, Some(Match::Replayed)),
        ] {
            let factor = verified(Kind::Totp { period: 30 }, last);
            let code = code_of(&factor, step);
            assert_eq!(factor.matches(&code, now, 1), expected, "{last:?} {step}");
        }
    }

    #[test]
    fn a_counter_matches_in_the_look_ahead_above_the_last() {
        for (last, counter, expected) in [
            (None, 0, Some(Match::Fresh(0))),
            (None, 10, Some(Match::Fresh(10))),
            (None, 11, None),
            (Some(5), 5, Some(Match::Replayed)),
            (Some(5), 6, Some(Match::Fresh(6))),
            (Some(5), 15, Some(Match::Fresh(15))),
            (Some(5), 16, None),
        ] {
            let factor = verified(Kind::Hotp, last);
            let code = code_of(&factor, counter);
            assert_eq!(factor.matches(&code, 0, 1), expected, "{last:?} {counter}");
        }
    }

    #[test]
    fn a_code_with_another_number_of_digits_is_wrong() {
        let mut factor = verified(Kind::Totp { period: 30 }, None);
        let six = code_of(&factor, 1000);
        factor.digits = 8;
        assert_eq!(factor.matches(&six, 30_000, 1), None);
    }

    #[test]
    fn extreme_times_do_not_overflow() {
        let factor = verified(Kind::Totp { period: 30 }, None);
        for now in [0, 1, 4_294_967_296, u64::MAX] {
            let code = code_of(&factor, time_step(now, 30));
            assert_eq!(
                factor.matches(&code, now, 1),
                Some(Match::Fresh(time_step(now, 30))),
                "{now}"
            );
        }
    }

    #[test]
    fn an_imported_seed_is_usable_from_its_first_unused_step() {
        let factor =
            Factor { is_imported: true, ..verified(Kind::Totp { period: 30 }, Some(1001)) };
        assert_eq!(factor.usable_from(), Some(1002 * 30));
        let pending = Status::Unverified { expires: 9, wrong_codes: 0 };
        for other in [
            Factor { is_imported: false, ..factor.clone() },
            Factor { last_used: Some(9), ..factor.clone() },
            Factor { status: pending, ..factor.clone() },
            Factor { last_accepted: None, ..factor.clone() },
            Factor { kind: Kind::Hotp, ..factor.clone() },
        ] {
            assert_eq!(other.usable_from(), None, "{other:?}");
        }
    }
}
