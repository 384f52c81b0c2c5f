//! The bursts that are open, in memory alone.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use crate::factor::FactorId;
use crate::record_key::RecordKey;
use crate::remembered::{Bond, Clocks, Lapse};
use crate::user_name::UserName;

/// A login with a right code, which also opens further connections for a short time.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Burst {
    /// The source and the service.
    pub bond: Bond,
    /// The factor of the code.
    pub factor: FactorId,
    /// The time.
    pub lapse: Lapse,
    /// The connections that it still opens.
    pub left: u8,
    /// [`Trust::endings`](crate::remembered::Trust::endings) when it began.
    pub endings: u64,
}

/// The bursts of all users.
#[derive(Debug, Default)]
pub struct Bursts(BTreeMap<UserName, Vec<Burst>>);

impl Bursts {
    /// Opens a burst of the user with this key, in the place of an earlier one of its bond.
    pub fn open(&mut self, key: &RecordKey, burst: Burst, clocks: &Clocks) {
        let RecordKey::User(user) = key else { return };
        if !self.0.contains_key(user) && self.0.len() >= MAX_USERS {
            self.forget_over(clocks);
            if self.0.len() >= MAX_USERS {
                return;
            }
        }
        let bursts = self.0.entry(user.clone()).or_default();
        bursts.retain(|old| old.bond != burst.bond && is_open(old, clocks));
        if bursts.len() >= MAX_OF_USER {
            bursts.remove(0);
        }
        bursts.push(burst);
    }

    /// Returns the burst of a user and bond.
    #[must_use]
    pub fn find(&self, key: &RecordKey, bond: &Bond) -> Option<&Burst> {
        self.of(key).find(|burst| burst.bond == *bond)
    }

    /// Counts a connection that the burst of a user and bond opens.
    pub fn count(&mut self, key: &RecordKey, bond: &Bond) {
        let RecordKey::User(user) = key else { return };
        let bursts = self.0.get_mut(user).into_iter().flatten();
        for burst in bursts.filter(|burst| burst.bond == *bond) {
            burst.left = burst.left.saturating_sub(1);
        }
    }

    /// Returns the bursts of a user. Some may be over.
    pub fn of(&self, key: &RecordKey) -> impl Iterator<Item = &Burst> {
        let bursts = match key {
            RecordKey::User(user) => self.0.get(user),
            RecordKey::Bucket(_) => None,
        };
        bursts.into_iter().flatten()
    }

    /// Closes all bursts of a user.
    pub fn close(&mut self, key: &RecordKey) {
        if let RecordKey::User(user) = key {
            self.0.remove(user);
        }
    }

    /// Closes all bursts.
    pub fn close_all(&mut self) {
        self.0.clear();
    }

    fn forget_over(&mut self, clocks: &Clocks) {
        for bursts in self.0.values_mut() {
            bursts.retain(|burst| is_open(burst, clocks));
        }
        self.0.retain(|_, bursts| !bursts.is_empty());
    }
}

fn is_open(burst: &Burst, clocks: &Clocks) -> bool {
    burst.left > 0 && burst.lapse.left(clocks, u64::MAX).is_some()
}

/// The further connections that one code opens.
pub const MAX_CONNECTIONS: u8 = 20;
/// Limits the memory. Who has no room gives a code each time.
const MAX_USERS: usize = 4096;
const MAX_OF_USER: usize = 16;

#[cfg(test)]
mod tests {
    use alloc::format;

    use super::*;
    use crate::fixtures::user;
    use crate::policy::Place;
    use crate::remembered::BootId;
    use crate::trust::bond;

    fn at(uptime: u64) -> Clocks {
        Clocks { now: 1000 + uptime, uptime, boot: BootId::from_random([1; 16]) }
    }

    fn burst(host: u8, clocks: &Clocks) -> Burst {
        Burst {
            bond: bond(Place::Address([192, 0, 2, host].into()), Some("sshd")).unwrap(),
            factor: FactorId::from_random([1; 5]),
            lapse: Lapse::begin(clocks, 20),
            left: 2,
            endings: 0,
        }
    }

    #[test]
    fn a_burst_is_found_by_its_user_and_bond_and_counts_down() {
        let mut bursts = Bursts::default();
        let (one, other) = (burst(1, &at(0)), burst(2, &at(0)));
        bursts.open(&user("alice"), one.clone(), &at(0));
        bursts.open(&user("alice"), other.clone(), &at(0));
        bursts.open(&RecordKey::Bucket(7), one.clone(), &at(0));
        let left = |bursts: &Bursts, name| bursts.find(&user(name), &one.bond).map(|one| one.left);
        for expected in [2, 1, 0, 0] {
            assert_eq!(left(&bursts, "alice"), Some(expected));
            bursts.count(&user("alice"), &one.bond);
        }
        assert_eq!(bursts.find(&user("alice"), &other.bond).map(|other| other.left), Some(2));
        assert_eq!(left(&bursts, "bob"), None);
        assert_eq!(bursts.find(&RecordKey::Bucket(7), &one.bond), None);
        bursts.open(&user("alice"), one.clone(), &at(0));
        assert_eq!((left(&bursts, "alice"), bursts.of(&user("alice")).count()), (Some(2), 2));
        bursts.close(&user("alice"));
        assert_eq!(left(&bursts, "alice"), None);
    }

    #[test]
    fn they_take_bounded_memory() {
        let mut bursts = Bursts::default();
        for host in 0..=255 {
            bursts.open(&user("alice"), burst(host, &at(0)), &at(0));
        }
        assert_eq!(bursts.of(&user("alice")).count(), MAX_OF_USER);
        for number in 0..10_000 {
            bursts.open(&user(&format!("user{number}")), burst(1, &at(0)), &at(0));
        }
        assert_eq!(bursts.0.len(), MAX_USERS);
        assert!(bursts.find(&user("user9999"), &burst(1, &at(0)).bond).is_none());
        bursts.open(&user("user9999"), burst(1, &at(20)), &at(20));
        assert_eq!(bursts.0.len(), 1, "those that were over made room");
    }
}
