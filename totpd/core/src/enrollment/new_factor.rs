//! A factor as it was asked for, before its first code.

use alloc::string::String;

use crate::factor::{Drift, Factor, FactorId, Kind, Maker, Restrictions, Status};
use crate::otp::Algorithm;
use crate::seed::Seed;

/// The properties of a new factor. The id is random. The seed is random or imported.
#[derive(Debug)]
pub struct NewFactor {
    /// The id, from random bytes.
    pub id: FactorId,
    /// The name; may be empty.
    pub name: String,
    /// The source of the next code: an event or the clock.
    pub kind: Kind,
    /// The hash.
    pub algorithm: Algorithm,
    /// Decimal digits of a code, 6 to 8.
    pub digits: u8,
    /// The seed.
    pub seed: Seed,
    /// True if the seed was imported, and may be in use elsewhere.
    pub is_imported: bool,
    /// The first counter of a token that counts presses, at most 2^63; 0 for any other.
    pub counter: u64,
    /// The times and services of the factor.
    pub restrictions: Restrictions,
    /// True if the factor needs no first code.
    pub is_confirmed: bool,
    /// The maker of the factor.
    pub made_by: Maker,
}

impl NewFactor {
    /// Returns the factor, made at `now` (seconds since 1970). If it needs a first code, it waits
    /// for one for `lifetime` seconds.
    #[must_use]
    pub fn make(self, now: u64, lifetime: u64) -> Factor {
        let status = if self.is_confirmed {
            Status::Verified
        } else {
            Status::Unverified { expires: now.saturating_add(lifetime), wrong_codes: 0 }
        };
        let last_accepted = match self.kind {
            Kind::Hotp => self.counter.checked_sub(1),
            Kind::Totp { .. } => None,
        };
        Factor {
            id: self.id,
            name: self.name,
            kind: self.kind,
            algorithm: self.algorithm,
            digits: self.digits,
            seed: self.seed,
            status,
            created: now,
            last_used: None,
            last_accepted,
            restrictions: self.restrictions,
            drift: Drift::default(),
            last_place: None,
            made_by: self.made_by,
            is_imported: self.is_imported,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::factor::Match;
    use crate::fixtures::{code_of, verified};

    const NOW: u64 = 30_000;

    fn new(kind: Kind, counter: u64, is_confirmed: bool) -> Factor {
        let Factor { id, name, algorithm, digits, seed, restrictions, .. } = verified(kind, None);
        let made_by = Maker::Uid(1000);
        let is_imported = true;
        let factor = NewFactor {
            id,
            name,
            kind,
            algorithm,
            digits,
            seed,
            is_imported,
            counter,
            restrictions,
            is_confirmed,
            made_by,
        };
        factor.make(NOW, 600)
    }

    #[test]
    fn a_new_factor_waits_for_its_first_code() {
        let totp = Kind::Totp { period: 30 };
        let pending = Status::Unverified { expires: NOW + 600, wrong_codes: 0 };
        assert_eq!(new(totp, 0, false).status, pending);
        assert_eq!(new(totp, 0, true).status, Status::Verified);
        let factor = new(totp, 7, false);
        assert_eq!((factor.created, factor.last_accepted, factor.last_used), (NOW, None, None));
        assert!(factor.is_imported && factor.made_by == Maker::Uid(1000));
    }

    #[test]
    fn a_token_starts_at_its_counter() {
        for (counter, before, first) in [(0, None, 0), (1, Some(0), 1), (42, Some(41), 42)] {
            let factor = new(Kind::Hotp, counter, false);
            assert_eq!(factor.last_accepted, before, "{counter}");
            let matched = factor.matches(&code_of(&factor, first), NOW, 1);
            assert_eq!(matched, Some(Match::Fresh(first)), "{counter}");
        }
    }
}
