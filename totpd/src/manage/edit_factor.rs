//! The changes of the parts of a factor that are no secret.

use totpd_core::management::{self, FactorChanges};
use totpd_interface::Error;
use zeroize::Zeroizing;

use crate::audit::event::Factors;
use crate::audit::reason::Reason;
use crate::daemon::Daemon;
use crate::manage::authorization::AuthorizedCaller;
use crate::manage::reauthentication::reauthentication;
use crate::manage::refusal::refuse;

/// Makes `changes` to the factor `id`, which is pending or verified.
pub(crate) async fn edit(
    daemon: &Daemon,
    caller: &AuthorizedCaller,
    id: &str,
    changes: FactorChanges,
    code: &Zeroizing<String>,
) -> Result<(), Error> {
    let proof = reauthentication(daemon, caller, code).await?;
    let factor_id = id.to_owned();
    let account = (caller.maker(), caller.account.current_uid());
    let result = daemon
        .update(&caller.account, move |record, voids| {
            management::edit_factor(record, &proof, voids, account, &factor_id, &changes)
        })
        .await?;
    result.map_err(|refusal| refuse(daemon, caller, refusal))?;
    daemon.audit.record(&caller.event(Factors::parse(id), Reason::FactorChanged));
    Ok(())
}
