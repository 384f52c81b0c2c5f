//! What was noted of logins that another module decided.

use totpd_core::record::Record;
use totpd_core::user_name::UserName;
use totpd_interface::{DictBuilder, Dictionary, Error};
use totpd_store::Listed;

use crate::daemon::Daemon;
use crate::host::clock;
use crate::manage::users::MAX_LISTED_USERS;

/// Returns the enrolled users, and those with a noted login, at most `limit`. Their names come
/// after `after`, in order.
///
/// # Errors
/// The errors of [`Daemon::report_store_error`].
pub(crate) async fn report(
    daemon: &Daemon,
    mut after: String,
    limit: u32,
) -> Result<Vec<Dictionary>, Error> {
    let (now, limit) = (clock::now(), limit.clamp(1, MAX_LISTED_USERS));
    let mut users = Vec::new();
    loop {
        let page = daemon.list(after.clone(), limit).await?;
        let Some(last) = page.last() else { return Ok(users) };
        after = last.name.as_str().to_owned();
        for Listed { name, record } in page {
            match record {
                Ok(record) if !record.is_enrolled() && record.shadow.is_empty() => {}
                Ok(record) => users.push(describe(&name, record, now)),
                Err(error) => {
                    let _ = daemon.report_store_error(&error);
                }
            }
            if users.len() >= limit as usize {
                return Ok(users);
            }
        }
    }
}

fn describe(name: &UserName, mut record: Record, now: u64) -> Dictionary {
    record.shadow.expire(now);
    let shut_out = record.shadow.would_be_shut_out(now);
    let differed = record.shadow.differed.iter().map(|differed| {
        let entry = DictBuilder::new()
            .with("cause", differed.cause.word().to_owned())
            .with("count", differed.count)
            .with("last", differed.last);
        Dictionary::from(entry)
    });
    let last = record.shadow.last_let_in;
    let refused_by = last.and_then(|login| login.refused_by);
    DictBuilder::new()
        .with("user", name.as_str().to_owned())
        .with("enrolled", record.is_enrolled())
        .with("agreed", record.shadow.agreed)
        .with("differed", differed.collect::<Vec<_>>())
        .with_some("last_let_in", last.map(|login| login.at))
        .with_some("refused_by", refused_by.map(|cause| cause.word().to_owned()))
        .with("shut_out", shut_out)
        .into()
}
