//! Whether a record belongs to the account that has its name now. totpd denies the codes of
//! another uid, because an account that was created again inherits nothing.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::details;
use crate::host::{accounts, name_services};

/// The uids of the accounts of this host, by name.
pub(crate) struct AccountUids {
    listed: HashMap<String, u32>,
    /// True if a directory may have accounts that it does not list.
    has_others: bool,
}

impl AccountUids {
    /// Asks the sources of accounts once.
    pub(crate) fn read() -> Self {
        let listed = accounts::list_all();
        let has_others = listed.is_none() || !name_services::directories().is_empty();
        let accounts = listed.unwrap_or_else(accounts::list_local).into_iter();
        Self { listed: accounts.map(|account| (account.name, account.uid)).collect(), has_others }
    }

    /// Corrects the state of a user whose account has another uid than its record: it is not
    /// enrolled, and `account_uid` is the uid of the account. A name without an account stays as it
    /// is.
    pub(crate) fn correct(&self, state: &mut Map<String, Value>) {
        let name = details::text(state, "user");
        let found = self.listed.get(&name).copied();
        let of_directory = || self.has_others.then(|| of_name(&name)).flatten();
        correct(state, found.or_else(of_directory));
    }
}

/// Corrects the state of one user, as [`AccountUids::correct`] does.
pub(crate) fn correct_one(state: &mut Map<String, Value>) {
    let uid = of_name(&details::text(state, "user"));
    correct(state, uid);
}

/// Returns the uids of the record and of the account, if they differ.
pub(crate) fn differing(state: &Map<String, Value>) -> Option<(u64, u64)> {
    details::number(state, "uid").zip(details::number(state, "account_uid"))
}

fn correct(state: &mut Map<String, Value>, account: Option<u32>) {
    let (Some(record), Some(account)) = (details::number(state, "uid"), account) else { return };
    let has_factor = details::objects(state, "factors").next().is_some();
    if has_factor && record != u64::from(account) {
        state.insert("enrolled".into(), false.into());
        state.insert("account_uid".into(), account.into());
    }
}

fn of_name(name: &str) -> Option<u32> {
    let user = nix::unistd::User::from_name(name).ok().flatten()?;
    Some(user.uid.as_raw())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_record_of_another_uid_enrolls_nobody() {
        for (account, enrolled, differ) in
            [(Some(1001), true, None), (Some(4321), false, Some((1001, 4321))), (None, true, None)]
        {
            let state = json!({ "user": "alice", "uid": 1001, "enrolled": true, "factors": [{}] });
            let mut state = state.as_object().unwrap().clone();
            correct(&mut state, account);
            assert_eq!(details::flag(&state, "enrolled"), enrolled, "{account:?}");
            assert_eq!(differing(&state), differ, "{account:?}");
        }
        let mut empty = json!({ "user": "a", "uid": 1, "enrolled": false, "factors": [] });
        correct(empty.as_object_mut().unwrap(), Some(2));
        assert_eq!(differing(empty.as_object().unwrap()), None);
    }
}
