//! The groups that logins asked for in the last minute. `Verify` comes seconds after `Begin`, and a
//! directory may be behind a network.

use std::collections::HashMap;
use std::sync::Mutex;

use totpd_core::policy::Groups;
use totpd_core::user_name::UserName;
use totpd_store::mutex::lock;

/// The groups of users, each for [`KEPT_MS`].
#[derive(Debug, Default)]
pub(crate) struct RecentGroups(Mutex<HashMap<String, Recent>>);

/// The groups of a user, and the millisecond at which NSS named them.
#[derive(Debug)]
struct Recent {
    groups: Groups,
    found: u64,
}

impl RecentGroups {
    /// Returns the groups of `user` if they were kept in the minute before `now` (in milliseconds
    /// of the monotonic clock).
    pub(crate) fn get(&self, user: &UserName, now: u64) -> Option<Groups> {
        let users = lock(&self.0);
        let recent = users.get(user.as_str()).filter(|recent| recent.is_fresh(now));
        recent.map(|recent| recent.groups.clone())
    }

    /// Keeps the groups of `user`, which NSS named after `now`.
    pub(crate) fn keep(&self, user: &UserName, now: u64, groups: &Groups) {
        let mut users = lock(&self.0);
        if users.len() >= MAX_USERS {
            users.retain(|_, recent| recent.is_fresh(now));
        }
        if users.len() < MAX_USERS {
            let recent = Recent { groups: groups.clone(), found: now };
            users.insert(user.as_str().to_owned(), recent);
        }
    }
}

impl Recent {
    fn is_fresh(&self, now: u64) -> bool {
        now.saturating_sub(self.found) < KEPT_MS
    }
}

/// The milliseconds after which NSS is asked again.
const KEPT_MS: u64 = 60_000;
/// The maximum number of users. Those beyond it are looked up each time.
const MAX_USERS: usize = 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_kept_for_a_minute_and_in_bounded_memory() {
        let recent = RecentGroups::default();
        let user = |number: usize| UserName::parse(&format!("user{number}")).unwrap();
        for number in 0..2 * MAX_USERS {
            recent.keep(&user(number), 5, &Groups::UNKNOWN);
        }
        assert_eq!(lock(&recent.0).len(), MAX_USERS);
        assert!(recent.get(&user(0), 5 + KEPT_MS - 1).is_some());
        assert!(recent.get(&user(0), 5 + KEPT_MS).is_none());
        assert!(recent.get(&user(2 * MAX_USERS), 6).is_none());
        recent.keep(&user(0), 5 + KEPT_MS, &Groups::UNKNOWN);
        assert_eq!(lock(&recent.0).len(), 1);
    }
}
