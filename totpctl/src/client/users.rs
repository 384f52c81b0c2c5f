//! The users that the daemon knows.

use serde_json::{Map, Value};

use super::account_uid::AccountUids;
use super::{Client, details};
use crate::error::Error;

/// Calls `action` with the state of each user, in the order of the names. A user whose account has
/// another uid than the record is not enrolled.
pub(crate) fn for_each_user(
    client: &Client,
    mut action: impl FnMut(Map<String, Value>) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut after = String::new();
    let uids = AccountUids::read();
    loop {
        let page = client.manager(async |totpd| totpd.list_users(&after, PAGE_SIZE).await)?;
        for user in &page {
            let mut user = details::object(user);
            after = details::text(&user, "user");
            uids.correct(&mut user);
            action(user)?;
        }
        if page.len() < PAGE_SIZE as usize {
            return Ok(());
        }
    }
}

/// Users in one reply of the daemon.
const PAGE_SIZE: u32 = 500;
