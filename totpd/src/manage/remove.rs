//! The removal of factors.

use totpd_core::authorization::Operation;
use totpd_core::management;
use totpd_interface::Error;
use zeroize::Zeroizing;

use crate::audit::event::Factors;
use crate::audit::reason::Reason;
use crate::daemon::Daemon;
use crate::host::clock;
use crate::manage::authorization::AuthorizedCaller;
use crate::manage::reauthentication::reauthentication;
use crate::manage::refusal::refuse;

/// Removes the factor `id`, or all of them if it is empty. For root, the removal of all factors
/// also removes a damaged record.
pub(crate) async fn remove(
    daemon: &Daemon,
    caller: &AuthorizedCaller,
    id: &str,
    code: &Zeroizing<String>,
) -> Result<(), Error> {
    let proof = reauthentication(daemon, caller, code).await?;
    let (factor_id, by) = (id.to_owned(), caller.maker());
    let now = clock::now();
    let result = daemon
        .update(&caller.account, move |record, voids| {
            management::remove(record, &proof, voids, &factor_id, by, now)
        })
        .await;
    let may_discard = || caller.caller.must_be_allowed(Operation::RemoveDamaged).is_ok();
    if matches!(result, Err(Error::StoreCorrupt(_))) && id.is_empty() && may_discard() {
        daemon.discard(&caller.account).await?;
        daemon.audit.record(&caller.event(Factors::All, Reason::RecordRemoved));
        return Ok(());
    }
    result?.map_err(|refusal| refuse(daemon, caller, refusal))?;
    let factors = if id.is_empty() { Factors::All } else { Factors::parse(id) };
    daemon.audit.record(&caller.event(factors, Reason::FactorRemoved));
    Ok(())
}
