//! Removing factors.

use totpd_core::management;
use totpd_interface::Error;
use zeroize::Zeroizing;

use crate::audit::change::{change, refusal};
use crate::daemon::Daemon;
use crate::manage::authorization::AuthorizedCaller;
use crate::manage::reauthentication::reauthentication;
use crate::manage::refusal::error_of;

/// Removes the factor `id`, or all of them if it is empty. For root a damaged record goes with all of them.
pub(crate) async fn remove(
    daemon: &Daemon,
    caller: &AuthorizedCaller,
    id: &str,
    code: &Zeroizing<String>,
) -> Result<(), Error> {
    let proof = reauthentication(daemon, caller, code).await?;
    let (wanted, by) = (id.to_owned(), caller.maker());
    let removed = daemon
        .update(&caller.account, move |record| management::remove(record, &proof, &wanted, by))
        .await;
    if matches!(removed, Err(Error::StoreCorrupt(_))) && caller.caller.is_root() && id.is_empty() {
        daemon.told(daemon.store.discard(caller.account.key.clone()).await)?;
        change(daemon, caller, "all", "damaged record removed");
        return Ok(());
    }
    removed?.map_err(error_of).inspect_err(|error| refusal(daemon, caller, error))?;
    change(daemon, caller, if id.is_empty() { "all" } else { id }, "factor removed");
    Ok(())
}
