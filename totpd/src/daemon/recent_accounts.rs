//! The accounts that logins asked for a moment ago. `Verify` comes seconds after `Begin`, and needs
//! no second look into the user database, which may be behind a network.
//!
//! A name that nobody has is kept as an account is, with its bucket. So a second question costs the
//! same for both.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::Mutex;

use totpd_core::account::Account;
use totpd_store::mutex::lock;

use crate::host::user_files::UserFiles;

/// The accounts of names, each for [`KEPT_MS`], until the files of users change.
#[derive(Debug, Default)]
pub(crate) struct RecentAccounts {
    hashers: [RandomState; 2],
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    files: UserFiles,
    accounts: HashMap<NameHash, Recent>,
}

/// An account, and the millisecond at which NSS named it.
#[derive(Debug)]
struct Recent {
    account: Account,
    found: u64,
}

/// Two keyed hashes of a name. People type passwords as names, so names are not kept.
type NameHash = [u64; 2];

impl RecentAccounts {
    /// Returns the account of `name` if it was kept a moment before `now` (in milliseconds of the
    /// monotonic clock), and `files` is still the state of the files of users.
    pub(crate) fn get(&self, name: &str, files: &UserFiles, now: u64) -> Option<Account> {
        let hash = self.hash(name);
        let state = lock(&self.state);
        let is_fresh = |recent: &&Recent| state.files == *files && recent.is_fresh(now);
        state.accounts.get(&hash).filter(is_fresh).map(|recent| recent.account.clone())
    }

    /// Keeps the account of `name`, which NSS named after the files of users had the state `files`
    /// at `now` (in milliseconds of the monotonic clock).
    pub(crate) fn keep(&self, name: &str, files: UserFiles, now: u64, account: &Account) {
        let hash = self.hash(name);
        let mut state = lock(&self.state);
        if state.files != files {
            *state = State { files, accounts: HashMap::new() };
        }
        if state.accounts.len() >= MAX_ACCOUNTS {
            state.accounts.retain(|_, recent| recent.is_fresh(now));
        }
        if state.accounts.len() < MAX_ACCOUNTS {
            state.accounts.insert(hash, Recent { account: account.clone(), found: now });
        }
    }

    fn hash(&self, name: &str) -> NameHash {
        self.hashers.each_ref().map(|hasher| hasher.hash_one(name))
    }
}

impl Recent {
    fn is_fresh(&self, now: u64) -> bool {
        now.saturating_sub(self.found) < KEPT_MS
    }
}

/// The milliseconds after which NSS is asked again: as long as a code is shown.
const KEPT_MS: u64 = 30_000;
/// The maximum number of accounts. Names beyond it are looked up each time.
const MAX_ACCOUNTS: usize = 1024;

#[cfg(test)]
mod tests {
    use totpd_core::fixtures::user;
    use totpd_core::record_key::RecordKey;

    use super::*;

    #[test]
    fn an_account_is_kept_for_a_moment_and_until_the_files_change() {
        let recent = RecentAccounts::default();
        let alice = Account { key: user("alice"), uid: Some(1000), is_uncertain: false };
        let nobody = Account { key: RecordKey::Bucket(7), uid: None, is_uncertain: false };
        let uid = |name: &str, files: &UserFiles, now| {
            recent.get(name, files, now).map(|account| account.uid)
        };
        let (files, changed) = (UserFiles::default(), UserFiles::example());
        recent.keep("alice", files.clone(), 5, &alice);
        recent.keep("nobody", files.clone(), 5, &nobody);
        assert_eq!(uid("alice", &files, 5 + KEPT_MS - 1), Some(Some(1000)));
        assert_eq!(uid("nobody", &files, 6), Some(None));
        assert_eq!(uid("alic", &files, 6), None);
        assert_eq!(uid("alice", &files, 5 + KEPT_MS), None);
        assert_eq!(uid("alice", &changed, 6), None);
        recent.keep("nobody", changed.clone(), 7, &nobody);
        assert_eq!((uid("alice", &changed, 8), uid("nobody", &changed, 8)), (None, Some(None)));
    }

    #[test]
    fn invented_names_take_bounded_memory() {
        let recent = RecentAccounts::default();
        let nobody = Account { key: RecordKey::Bucket(7), uid: None, is_uncertain: false };
        let files = UserFiles::default();
        for number in 0..10_000 {
            recent.keep(&format!("user{number}"), files.clone(), 0, &nobody);
        }
        assert_eq!(lock(&recent.state).accounts.len(), MAX_ACCOUNTS);
        recent.keep("alice", files.clone(), KEPT_MS, &nobody);
        assert_eq!(lock(&recent.state).accounts.len(), 1);
    }
}
