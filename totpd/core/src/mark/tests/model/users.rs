//! The users, and their factors.

use std::vec;

use crate::factor::{Drift, Factor, FactorId, Kind};
use crate::fixtures::verified;
use crate::record::Record;
use crate::seed::Seed;

/// A user, and one of the seeds of that user.
pub(super) type Key = (usize, usize);

pub(super) fn record(user: usize) -> Record {
    let new = |(seed, (kind, drift)): (usize, &(Kind, i16))| Factor {
        id: FactorId::from_random([seed as u8; 5]),
        seed: seed_of((user, seed)),
        digits: 8,
        drift: Drift::from_steps(*drift),
        ..verified(*kind, None)
    };
    let factors = FACTORS[user].iter().enumerate().map(new).collect();
    Record { factors, ..Record::new(UID) }
}

fn seed_of((user, seed): Key) -> Seed {
    Seed::new(vec![(user * 10 + seed) as u8; 20]).unwrap()
}

/// Returns the factor of a seed.
pub(super) fn factor_of(record: &Record, key: Key) -> Option<&Factor> {
    let seed = seed_of(key);
    record.factors.iter().find(|factor| factor.seed.is(&seed))
}

const fn totp(period: u32) -> Kind {
    Kind::Totp { period }
}

/// The factors of each user, with the drift of each. All of the first one's may be void at once.
const FACTORS: [&[(Kind, i16)]; 2] = [
    &[(totp(30), 0), (totp(60), 0)],
    &[(totp(30), 0), (totp(300), 0), (totp(30), -10), (totp(30), -1), (Kind::Hotp, 0)],
];
pub(super) const USERS: [&str; 2] = ["alice", "bob"];
pub(super) const UID: u32 = 1000;
