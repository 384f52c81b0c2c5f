//! What is remembered of logins: who is not asked for a code, from where and until when.

use totpd_core::account::Account;
use totpd_core::record::Record;
use totpd_core::record_key::RecordKey;
use totpd_core::remembered::{Bond, Lapse};
use totpd_core::user_name::UserName;
use totpd_interface::{DictBuilder, Dictionary, Error};
use totpd_store::Listed;

use crate::access::caller::Caller;
use crate::audit::event::{ChangeEvent, Event, Factors};
use crate::audit::reason::Reason;
use crate::daemon::Daemon;
use crate::manage::authorization::AuthorizedCaller;

/// Returns what is remembered of logins of one user.
pub(crate) async fn list(
    daemon: &Daemon,
    caller: &AuthorizedCaller,
) -> Result<Vec<Dictionary>, Error> {
    let AuthorizedCaller { name, account, .. } = caller;
    let record = daemon.read(account).await?;
    let record = record.filter(|record| record.belongs_to(account.current_uid()));
    Ok(record.map_or_else(Vec::new, |record| of_user(daemon, name, &record)))
}

/// Returns what is remembered of logins of all users, in name order.
pub(crate) async fn list_all(daemon: &Daemon) -> Result<Vec<Dictionary>, Error> {
    let mut all = Vec::new();
    let mut after = String::new();
    loop {
        let page = daemon.list(after, PAGE).await?;
        let Some(last) = page.last() else { return Ok(all) };
        after = last.name.as_str().to_owned();
        for Listed { name, record } in page {
            // A damaged record lets nobody by.
            let Ok(record) = record else { continue };
            all.extend(of_user(daemon, &name, &record));
        }
        if all.len() > MAX_LISTED {
            let message = "more logins are remembered than one answer holds; name a user";
            return Err(Error::LimitsExceeded(message.into()));
        }
    }
}

/// Ends what is remembered of logins of one user. Returns how many there were.
pub(crate) async fn revoke(daemon: &Daemon, caller: &AuthorizedCaller) -> Result<u32, Error> {
    let ended = daemon.end_trust(&caller.account).await?;
    if ended > 0 {
        daemon.audit.record(&caller.event(Factors::Unnamed, Reason::TrustRevoked));
    }
    Ok(ended)
}

/// Ends what is remembered of logins of all users, for `caller`. Only root ends that of root.
pub(crate) async fn revoke_all(daemon: &Daemon, caller: Caller) -> Result<u32, Error> {
    let mut all = 0_u32;
    let mut after = String::new();
    loop {
        let page = daemon.list(after, PAGE).await?;
        let Some(last) = page.last() else { return Ok(all) };
        after = last.name.as_str().to_owned();
        for Listed { name: user, record } in page {
            let Ok(record) = record else { continue };
            if record.uid == 0 && !caller.is_root() {
                continue;
            }
            let key = RecordKey::User(user.clone());
            let account = Account { key, uid: Some(record.uid), is_uncertain: false };
            let ended = daemon.end_trust(&account).await?;
            if ended > 0 {
                all = all.saturating_add(ended);
                let (factors, reason) = (Factors::Unnamed, Reason::TrustRevoked);
                let user = &user;
                let event = ChangeEvent { by: caller, user, is_own: false, factors, reason };
                daemon.audit.record(&Event::Change(event));
            }
        }
    }
}

/// Returns what is remembered of logins of a user, with the keys of `ListTrust`.
pub(crate) fn of_user<S>(daemon: &Daemon, name: &UserName, record: &Record<S>) -> Vec<Dictionary> {
    let clocks = daemon.clocks();
    let entry = |kind: &'static str, bond: &Bond, lapse: &Lapse| {
        let left = lapse.left(&clocks, u64::MAX)?;
        let entry = DictBuilder::new()
            .with("user", name.as_str().to_owned())
            .with("kind", kind)
            .with("source", bond.address.to_string())
            .with("service", bond.service.to_string())
            .with("since", lapse.since())
            .with("until", clocks.now.saturating_add(left));
        Some(entry)
    };
    let remembered = record.trust.remembered().iter().filter_map(|one| {
        let entry = entry("remember", &one.bond, &one.lapse)?;
        Some(entry.with("factor", one.factor.to_string()).into())
    });
    let key = RecordKey::User(name.clone());
    let bursts = daemon.open_bursts(&key, record);
    let bursts = bursts.iter().filter_map(|one| {
        let entry = entry("burst", &one.bond, &one.lapse)?;
        let entry = entry.with("factor", one.factor.to_string());
        Some(entry.with("connections", u32::from(one.left)).into())
    });
    remembered.chain(bursts).collect()
}

/// The records that are read at a time.
const PAGE: u32 = 1000;
/// The entries of one answer, far below what a message of the bus may have.
const MAX_LISTED: usize = 20_000;
