//! What a store remembers of its backups: who signed them, and how new the newest is.

use serde::{Deserialize, Serialize};

use crate::backup::signature::PublicKey;

/// The memory of one store. It outlives a rekey and a restore.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct History {
    /// The keys that signed before the last rekey, the oldest first.
    earlier: Vec<PublicKey>,
    /// When the newest backup was made, in seconds since 1970.
    newest: Option<u64>,
}

impl History {
    /// The keys that signed before the last rekey.
    #[must_use]
    pub fn earlier(&self) -> &[PublicKey] {
        &self.earlier
    }

    /// When the newest backup was made that this store made or restored, in seconds since 1970.
    #[must_use]
    pub fn newest(&self) -> Option<u64> {
        self.newest
    }

    /// Remembers a key that signs no more. Of more than 64 the oldest falls out: its backups are
    /// then those of another store.
    pub(crate) fn retire(&mut self, key: PublicKey) {
        self.earlier.retain(|earlier| *earlier != key);
        self.earlier.push(key);
        let too_many = self.earlier.len().saturating_sub(MAX_EARLIER_KEYS);
        self.earlier.drain(..too_many);
    }

    /// Remembers a backup of that time, if it is the newest. A clock that ran ahead once is forgotten: what lies after
    /// `now` (seconds since 1970, as all of these) was never.
    pub(crate) fn note(&mut self, made: u64, now: u64) {
        self.newest = self.newest.filter(|newest| *newest <= now).max(Some(made.min(now)));
    }
}

const MAX_EARLIER_KEYS: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    fn key(number: u8) -> PublicKey {
        PublicKey::from_bytes([number; PublicKey::LENGTH])
    }

    #[test]
    fn the_last_64_keys_are_remembered() {
        let mut history = History::default();
        (0..70).for_each(|number| history.retire(key(number)));
        let expected: Vec<_> = (6..70).map(key).collect();
        assert_eq!(history.earlier(), expected);
        history.retire(key(6));
        assert_eq!(history.earlier().len(), 64, "a key is remembered once");
        assert_eq!(history.earlier().last(), Some(&key(6)));
    }

    #[test]
    fn an_older_backup_does_not_become_the_newest() {
        let mut history = History::default();
        assert_eq!(history.newest(), None);
        for (made, now, newest) in [(5, 5, 5), (3, 6, 5), (99, 99, 99), (9, 9, 9), (20, 10, 10)] {
            history.note(made, now);
            assert_eq!(history.newest(), Some(newest));
        }
    }
}
