//! New recovery codes in the place of the old ones.

use totpd_core::management;
use totpd_interface::Error;
use zeroize::Zeroizing;

use crate::audit::event::Factors;
use crate::audit::reason::Reason;
use crate::daemon::Daemon;
use crate::daemon::hash_worker::Work;
use crate::factors::recovery_codes::display;
use crate::manage::authorization::AuthorizedCaller;
use crate::manage::reauthentication::reauthentication;
use crate::manage::refusal::refuse;

/// Replaces all old recovery codes by new ones.
pub(crate) async fn renew(
    daemon: &Daemon,
    caller: &AuthorizedCaller,
    code: &Zeroizing<String>,
) -> Result<Vec<String>, Error> {
    if daemon.config.recovery_codes == 0 {
        return Err(Error::NotAuthorized(
            "there are no recovery codes here: [enrollment] recovery_codes is 0".into(),
        ));
    }
    let proof = reauthentication(daemon, caller, code).await?;
    let (codes, hashes) = daemon.recovery_codes(Work::Management).await?;
    let uid = caller.account.current_uid();
    let result = daemon
        .update(&caller.account, move |record, voids| {
            management::renew_recovery_codes(record, &proof, voids, uid, &hashes)
        })
        .await?;
    result.map_err(|refusal| refuse(daemon, caller, refusal))?;
    daemon.audit.record(&caller.event(Factors::Unnamed, Reason::RecoveryCodesRenewed));
    Ok(display(&codes))
}
