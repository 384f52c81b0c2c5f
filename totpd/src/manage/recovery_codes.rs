//! Recovery codes: the codes that come with a factor, and new ones.

use totpd_core::account::Account;
use totpd_core::management;
use totpd_core::recovery_codes::RecoveryCode;
use totpd_interface::Error;
use zeroize::Zeroizing;

use crate::audit::event::Factors;
use crate::audit::reason::Reason;
use crate::daemon::Daemon;
use crate::daemon::hash_worker::Work;
use crate::manage::authorization::AuthorizedCaller;
use crate::manage::reauthentication::reauthentication;
use crate::manage::refusal::refuse;
use totpd_core::void_windows::VoidWindows;

/// Makes recovery codes for a user who has none left. The daemon shows them once, and never again.
pub(crate) async fn first_recovery_codes(
    daemon: &Daemon,
    account: &Account,
    work: Work,
) -> Result<Vec<String>, Error> {
    if daemon.config.recovery_codes == 0 {
        return Ok(Vec::new());
    }
    let stored = daemon.read(account).await?;
    if stored.is_some_and(|record| record.recovery.left() > 0) {
        return Ok(Vec::new());
    }
    let (codes, hashes) = daemon.recovery_codes(work).await?;
    let has_codes = daemon
        .update(account, move |record| management::add_recovery_codes(record, &hashes))
        .await?;
    Ok(if has_codes { display(&codes) } else { Vec::new() })
}

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
        .update(&caller.account, move |record| {
            management::renew_recovery_codes(record, (&proof, &VoidWindows::NONE), uid, &hashes)
        })
        .await?;
    result.map_err(|refusal| refuse(daemon, caller, refusal))?;
    daemon.audit.record(&caller.event(Factors::Unnamed, Reason::RecoveryCodesRenewed));
    Ok(display(&codes))
}

fn display(codes: &[RecoveryCode]) -> Vec<String> {
    codes.iter().map(|code| code.display().to_string()).collect()
}
