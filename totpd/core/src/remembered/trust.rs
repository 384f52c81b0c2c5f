//! The logins of a user that are remembered.

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::factor::FactorId;
use crate::remembered::bond::Bond;
use crate::remembered::lapse::{Clocks, Lapse};

/// A login with a right code. Later ones of the same bond need none for a time.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Remembered {
    /// The source and the service.
    pub bond: Bond,
    /// The factor of the code.
    pub factor: FactorId,
    /// The time.
    pub lapse: Lapse,
}

/// What a record has of remembered logins.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Trust {
    /// How often all of it ended. A burst in memory is good as long as this stays the same.
    endings: u64,
    remembered: Vec<Remembered>,
}

impl Trust {
    /// Returns the remembered logins, the most recent last. Some may be over.
    #[must_use]
    pub fn remembered(&self) -> &[Remembered] {
        &self.remembered
    }

    /// Returns how often all of it ended.
    #[must_use]
    pub fn endings(&self) -> u64 {
        self.endings
    }

    /// Ends all of it, and the bursts in memory.
    pub fn end(&mut self) {
        self.endings = self.endings.wrapping_add(1);
        self.remembered.clear();
    }

    /// Remembers a login, in the place of an earlier one of its bond. Forgets those that are over.
    pub(crate) fn remember(&mut self, login: Remembered, clocks: &Clocks) {
        let is_other = |old: &Remembered| old.bond != login.bond;
        self.remembered.retain(|old| is_other(old) && old.lapse.left(clocks, u64::MAX).is_some());
        if self.remembered.len() >= MAX_REMEMBERED {
            // The list is in the order of the logins.
            self.remembered.remove(0);
        }
        self.remembered.push(login);
    }

    /// Returns the remembered login of this bond.
    pub(crate) fn find(&self, bond: &Bond) -> Option<&Remembered> {
        self.remembered.iter().find(|login| login.bond == *bond)
    }
}

/// Limits the size of a record.
const MAX_REMEMBERED: usize = 16;
