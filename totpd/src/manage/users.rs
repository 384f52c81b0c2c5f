//! The read access to the state of users.

use totpd_core::management::restrict_to_owner;
use totpd_interface::{Dictionary, Error};
use totpd_store::Listed;

use crate::daemon::Daemon;
use crate::host::clock;
use crate::manage::authorization::AuthorizedCaller;
use crate::manage::{trust, user_state};

/// Returns the state of one user, without a secret.
pub(crate) async fn get(daemon: &Daemon, caller: &AuthorizedCaller) -> Result<Dictionary, Error> {
    let AuthorizedCaller { caller: asking, name, account, is_own } = caller;
    let stored = daemon.read(account).await?;
    let mut record = account.record(stored);
    if *is_own {
        record = restrict_to_owner(record, asking.uid);
    }
    let trust = match record.belongs_to(account.current_uid()) {
        true => trust::of_user(daemon, name, &record),
        false => Vec::new(),
    };
    Ok(user_state::describe(name, record, trust, clock::now(), &daemon.config.rules.throttle))
}

/// Returns the enrolled users with names after `after`, in name order, at most `limit`.
pub(crate) async fn list(
    daemon: &Daemon,
    mut after: String,
    limit: u32,
) -> Result<Vec<Dictionary>, Error> {
    let (now, rules) = (clock::now(), &daemon.config.rules.throttle);
    let limit = limit.clamp(1, MAX_LISTED_USERS);
    let mut users = Vec::new();
    loop {
        let page = daemon.list(after.clone(), limit).await?;
        let Some(last) = page.last() else { return Ok(users) };
        after = last.name.as_str().to_owned();
        for Listed { name, record } in page {
            match record {
                // The store has users without a factor for their wrong and used codes alone.
                Ok(record) if record.factors.is_empty() => {}
                Ok(record) => {
                    let trust = trust::of_user(daemon, &name, &record);
                    users.push(user_state::describe(&name, record, trust, now, rules));
                }
                Err(error) => {
                    let _ = daemon.report_store_error(&error);
                    users.push(user_state::damaged(&name));
                }
            }
            if users.len() >= limit as usize {
                return Ok(users);
            }
        }
    }
}

/// The maximum number of users in one answer. They are far below the 32 MiB that a message of the
/// bus may have.
const MAX_LISTED_USERS: u32 = 1000;
