//! Where the key of each factor was shown that a first login made. It is shown again there alone: who
//! knows a password, looks at the key and hangs up must not own the key that another confirms later.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::context::Context;
use crate::factor::FactorId;

/// Where somebody logs in, as far as the module says.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Place([Option<String>; 3]);

impl Place {
    /// The place of a login.
    #[must_use]
    pub fn of(context: &Context) -> Self {
        Self([context.rhost.clone(), context.ruser.clone(), context.tty.clone()])
    }
}

/// The places, in memory alone: after a restart every key is one that was shown elsewhere.
#[derive(Debug, Default)]
pub struct Offers(Mutex<HashMap<FactorId, Offer>>);

#[derive(Debug)]
struct Offer {
    place: Place,
    /// When the factor ends to wait, in seconds since 1970.
    expires: u64,
}

impl Offers {
    /// Whether the key of `factor` was shown at a login.
    #[must_use]
    pub fn has(&self, factor: &FactorId) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).contains_key(factor)
    }

    /// Whether the key of `factor` was shown at a login at `place`, and nowhere else.
    #[must_use]
    pub fn were_at(&self, factor: &FactorId, place: &Place) -> bool {
        let offers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        offers.get(factor).is_some_and(|offer| offer.place == *place)
    }

    /// Keeps in mind that the key of `factor`, which waits until `expires`, is shown at `place` at
    /// `now` (both in seconds since 1970).
    pub fn note(&self, factor: FactorId, place: Place, expires: u64, now: u64) {
        let mut offers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        offers.retain(|_, offer| offer.expires > now);
        if offers.len() >= MOST {
            // Whoever comes back then is shown a new key.
            offers.clear();
        }
        offers.insert(factor, Offer { place, expires });
    }
}

/// First logins that wait for a code at a time: a few megabytes at most.
const MOST: usize = 4096;

#[cfg(test)]
mod tests {
    use super::*;

    fn at(rhost: &str) -> Place {
        Place([Some(rhost.to_owned()), None, Some("ssh".to_owned())])
    }

    fn id(n: usize) -> FactorId {
        let [low, high, ..] = n.to_le_bytes();
        FactorId::from_random([low, high, 0, 0, 0])
    }

    #[test]
    fn a_key_is_known_where_it_was_shown_alone() {
        let offers = Offers::default();
        offers.note(id(1), at("192.0.2.1"), 600, 0);
        assert!(offers.were_at(&id(1), &at("192.0.2.1")));
        assert!(!offers.were_at(&id(1), &at("192.0.2.2")));
        assert!(!offers.were_at(&id(2), &at("192.0.2.1")));
        assert!(offers.has(&id(1)) && !offers.has(&id(2)));
    }

    #[test]
    fn what_is_over_is_forgotten_and_there_is_a_bound() {
        let offers = Offers::default();
        offers.note(id(0), at("192.0.2.1"), 600, 0);
        offers.note(id(1), at("192.0.2.1"), 1200, 600);
        assert!(!offers.were_at(&id(0), &at("192.0.2.1")));
        offers.note(id(2), at("192.0.2.2"), 1200, 601);
        assert!(offers.were_at(&id(1), &at("192.0.2.1")), "what still waits is kept");
        for n in 3..2 * MOST {
            offers.note(id(n), at("192.0.2.1"), 1200, 600);
        }
        assert!(offers.0.lock().unwrap().len() <= MOST);
        assert!(offers.were_at(&id(2 * MOST - 1), &at("192.0.2.1")));
    }
}
