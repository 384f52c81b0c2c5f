//! The records of a store about its backups: the keys that signed them, and the time of the newest.

use serde::{Deserialize, Serialize};

use crate::backup::signature::PublicKey;

/// The history of one store. It survives a rekey and a restore.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct History {
    /// The keys that signed before the last rekey, the oldest first.
    earlier: Vec<PublicKey>,
    /// The time of the creation of the newest backup, in seconds since 1970.
    newest: Option<u64>,
}

impl History {
    /// Returns the keys that signed before the last rekey.
    #[must_use]
    pub fn earlier(&self) -> &[PublicKey] {
        &self.earlier
    }

    /// Returns when the newest backup was created that this store wrote or restored, in seconds
    /// since 1970.
    #[must_use]
    pub fn newest(&self) -> Option<u64> {
        self.newest
    }

    /// Adds a key that signs no longer. Of more than 64 keys the oldest is dropped: its backups
    /// then count as those of another store.
    pub(crate) fn retire(&mut self, key: PublicKey) {
        self.earlier.retain(|earlier| *earlier != key);
        self.earlier.push(key);
        let too_many = self.earlier.len().saturating_sub(MAX_EARLIER_KEYS);
        self.earlier.drain(..too_many);
    }

    /// Notes a backup of that time, if it is the newest. A time after `now` (all in seconds since
    /// 1970) came from a clock that was fast, and is dropped.
    pub(crate) fn note_backup(&mut self, created: u64, now: u64) {
        self.newest = self.newest.filter(|newest| *newest <= now).max(Some(created.min(now)));
    }
}

const MAX_EARLIER_KEYS: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    fn key(number: u8) -> PublicKey {
        PublicKey::from_bytes([number; PublicKey::BYTES])
    }

    #[test]
    fn the_last_64_keys_are_kept() {
        let mut history = History::default();
        (0..70).for_each(|number| history.retire(key(number)));
        let expected: Vec<_> = (6..70).map(key).collect();
        assert_eq!(history.earlier(), expected);
        history.retire(key(6));
        assert_eq!(history.earlier().len(), 64, "a key is kept once");
        assert_eq!(history.earlier().last(), Some(&key(6)));
    }

    #[test]
    fn an_older_backup_does_not_become_the_newest() {
        let mut history = History::default();
        assert_eq!(history.newest(), None);
        for (created, now, newest) in [(5, 5, 5), (3, 6, 5), (99, 99, 99), (9, 9, 9), (20, 10, 10)]
        {
            history.note_backup(created, now);
            assert_eq!(history.newest(), Some(newest));
        }
    }
}
