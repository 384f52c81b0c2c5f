//! All that the daemon remembers of one user.

use crate::factor::{Factor, FactorId, Status};
use crate::throttle::Throttle;

/// All that the daemon remembers of one user, or of a bucket of names that nobody has.
#[derive(Clone, Debug)]
pub struct Record {
    /// The uid that the name had at enrolment. A name that has another one now is another user.
    pub uid: u32,
    /// Its factors, the oldest first.
    pub factors: Vec<Factor>,
    /// Its wrong codes.
    pub throttle: Throttle,
}

impl Record {
    /// The record of a user without a factor.
    #[must_use]
    pub fn new(uid: u32) -> Self {
        Self { uid, factors: Vec::new(), throttle: Throttle::default() }
    }

    /// Whether the user has a factor that opens the door, or will when it is resynchronised.
    #[must_use]
    pub fn is_enrolled(&self) -> bool {
        let counts = |status| matches!(status, Status::Unsynchronised | Status::Verified);
        self.factors.iter().any(|factor| counts(factor.status))
    }

    /// How many digits a code has: that of the newest verified factor.
    #[must_use]
    pub fn digits(&self) -> Option<u8> {
        self.factors.iter().rev().find(|factor| factor.is_verified()).map(|factor| factor.digits)
    }

    /// The ids of all verified factors.
    pub fn verified(&self) -> impl Iterator<Item = &FactorId> {
        self.factors.iter().filter(|factor| factor.is_verified()).map(|factor| &factor.id)
    }
}
