//! One seed, its parameters, and what it has accepted so far.

use alloc::string::String;
use core::ops::RangeInclusive;

use crate::code::Code;
pub use crate::factor::clock_drift::{Drift, MAX_DRIFT_SECS};
pub use crate::factor::id::FactorId;
pub use crate::factor::kind::{Kind, PERIOD};
pub use crate::factor::maker::{LoginNonce, Maker};
pub use crate::factor::restrictions::{LastUse, Restrictions};
pub use crate::factor::status::Status;
pub use crate::factor::token::{LoginToken, TokenDigest};
use crate::otp::{Algorithm, matching_counter, time_step};
use crate::seed::Seed;

mod clock_drift;
mod id;
mod kind;
mod maker;
mod restrictions;
mod status;
mod token;

/// One seed and its parameters.
#[derive(Clone, Debug)]
pub struct Factor {
    /// Its short id.
    pub id: FactorId,
    /// What its owner calls it ("Pixel"); may be empty.
    pub name: String,
    /// What moves the code on.
    pub kind: Kind,
    /// The hash.
    pub algorithm: Algorithm,
    /// Decimal digits of a code, 6 to 8.
    pub digits: u8,
    /// The shared secret.
    pub seed: Seed,
    /// How far it has come.
    pub status: Status,
    /// When it was made, in seconds since 1970.
    pub created: u64,
    /// When it last opened the door, in seconds since 1970.
    pub last_used: Option<u64>,
    /// The last time step or counter that it accepted. Only a greater one is ever accepted.
    pub last_accepted: Option<u64>,
    /// When and where it opens the door.
    pub limits: Restrictions,
    /// How far its clock is off, as its right codes have shown.
    pub drift: Drift,
    /// Where it last opened the door.
    pub last_place: Option<LastUse>,
    /// Who made it.
    pub made_by: Maker,
    /// Whether its seed was brought from elsewhere, where codes of it may have been used.
    pub is_imported: bool,
}

/// What a code is to one factor.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Match {
    /// Right, and of this counter or time step, which was not used before.
    Fresh(u64),
    /// Of no counter in the window.
    None,
    /// Right, but of a counter that was used, or is older than one that was.
    Replayed,
}

impl Factor {
    /// Whether a code of this factor can open the door.
    #[must_use]
    pub fn is_verified(&self) -> bool {
        self.status == Status::Verified
    }

    /// Whether it still has to be confirmed, and opens nothing.
    #[must_use]
    pub fn is_pending(&self) -> bool {
        matches!(self.status, Status::AwaitsLogin { .. } | Status::Unverified { .. })
    }

    /// Whether it was made, and nobody has given its first code yet.
    #[must_use]
    pub fn awaits_first_code(&self) -> bool {
        matches!(self.status, Status::Unverified { .. })
    }

    /// When its first code is good that cannot have been used before (seconds since 1970), for a seed that
    /// was brought and of which nothing was used here yet. Nothing while it is pending.
    #[must_use]
    pub fn usable_from(&self) -> Option<u64> {
        let is_unused = self.is_imported && self.last_used.is_none() && !self.is_pending();
        let period = self.kind.period().filter(|_| is_unused)?;
        let first = self.last_accepted?.saturating_add(1);
        Some(first.saturating_mul(u64::from(period)))
    }

    /// What `code` is to this factor at `now` (seconds since 1970), with `skew` time steps of
    /// tolerance on either side (RFC 6238 section 5.2; the look-ahead of RFC 4226 section 7.4 is
    /// fixed).
    ///
    /// The window does not depend on what was used, and is always computed in full.
    #[must_use]
    pub fn matches(&self, code: &Code, now: u64, skew: u64) -> Match {
        let found = matching_counter(&self.seed, self.algorithm, code, self.window(now, skew));
        match found {
            Some(counter) if code.digits() == self.digits => match self.last_accepted {
                Some(last) if counter <= last => Match::Replayed,
                _ => Match::Fresh(counter),
            },
            _ => Match::None,
        }
    }

    /// Takes note of a right code of `counter` at `now` (seconds since 1970), so that it is used up.
    pub fn accept(&mut self, counter: u64, now: u64) {
        self.last_accepted = Some(counter);
        self.last_used = Some(now);
        if let Kind::Totp { period } = self.kind {
            self.drift.observe(counter, time_step(now, period), period);
        }
    }

    fn window(&self, now: u64, skew: u64) -> RangeInclusive<u64> {
        match self.kind {
            Kind::Hotp => {
                // One counter back, so that a code that was just used is told from a wrong one.
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

/// How many presses of a token may go by unseen (RFC 4226 section 7.4).
const HOTP_LOOK_AHEAD: u64 = 10;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{code_of, verified};

    #[test]
    fn a_time_step_matches_within_the_skew_and_only_above_the_last() {
        let now = 30_000; // step 1000
        for (last, step, expected) in [
            (None, 1000, Match::Fresh(1000)),
            (None, 999, Match::Fresh(999)),
            (None, 1001, Match::Fresh(1001)),
            (None, 998, Match::None),
            (None, 1002, Match::None),
            (Some(999), 1000, Match::Fresh(1000)),
            (Some(1000), 1000, Match::Replayed),
            (Some(1001), 1000, Match::Replayed),
            (Some(u64::MAX), 1000, Match::Replayed),
        ] {
            let factor = verified(Kind::Totp { period: 30 }, last);
            let code = code_of(&factor, step);
            assert_eq!(factor.matches(&code, now, 1), expected, "{last:?} {step}");
        }
    }

    #[test]
    fn a_counter_matches_within_the_look_ahead_and_only_above_the_last() {
        for (last, counter, expected) in [
            (None, 0, Match::Fresh(0)),
            (None, 10, Match::Fresh(10)),
            (None, 11, Match::None),
            (Some(5), 5, Match::Replayed),
            (Some(5), 6, Match::Fresh(6)),
            (Some(5), 15, Match::Fresh(15)),
            (Some(5), 16, Match::None),
        ] {
            let factor = verified(Kind::Hotp, last);
            let code = code_of(&factor, counter);
            assert_eq!(factor.matches(&code, 0, 1), expected, "{last:?} {counter}");
        }
    }

    #[test]
    fn the_number_of_digits_must_fit() {
        let mut factor = verified(Kind::Totp { period: 30 }, None);
        let six = code_of(&factor, 1000);
        factor.digits = 8;
        assert_eq!(factor.matches(&six, 30_000, 1), Match::None);
    }

    #[test]
    fn no_time_is_too_early_or_too_late() {
        let factor = verified(Kind::Totp { period: 30 }, None);
        for now in [0, 1, 4_294_967_296, u64::MAX] {
            let code = code_of(&factor, time_step(now, 30));
            assert_eq!(factor.matches(&code, now, 1), Match::Fresh(time_step(now, 30)), "{now}");
        }
    }
}
