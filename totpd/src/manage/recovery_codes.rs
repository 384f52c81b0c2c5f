//! Recovery codes: those that come with a factor, and new ones.

use totpd_core::account::Account;
use totpd_core::recovery_codes::RecoveryCode;
use totpd_interface::Error;
use zeroize::Zeroizing;

use crate::audit::change::{change, refusal};
use crate::daemon::Daemon;
use crate::daemon::hash_worker::Work;
use crate::manage::authorization::AuthorizedCaller;
use crate::manage::reauthentication::Reauthentication;

/// Recovery codes for a user who has none (any more). They are shown once, and never again.
pub(crate) async fn first_recovery_codes(
    daemon: &Daemon,
    target: &Account,
    whose: Work,
) -> Result<Vec<String>, Error> {
    if daemon.config.recovery_codes == 0 {
        return Ok(Vec::new());
    }
    let stored = daemon.told(daemon.store.read(target.subject.clone()).await)?;
    if stored.is_some_and(|record| record.recovery.left() > 0) {
        return Ok(Vec::new());
    }
    let (codes, kept) = daemon.recovery_codes(whose).await?;
    let set = daemon.update(target, move |mut record| {
        let set = record.recovery.left() == 0 && record.is_enrolled();
        if set {
            record.recovery = kept.clone();
        }
        (set, record)
    });
    Ok(if set.await? { shown(&codes) } else { Vec::new() })
}

/// New recovery codes in the place of all old ones.
pub(crate) async fn renew_recovery_codes(
    daemon: &Daemon,
    actor: &AuthorizedCaller,
    code: &Zeroizing<String>,
) -> Result<Vec<String>, Error> {
    if daemon.config.recovery_codes == 0 {
        return Err(Error::NotAuthorized(
            "there are no recovery codes here: [enrollment] recovery_codes is 0".into(),
        ));
    }
    let proof =
        Reauthentication::of(daemon, actor.caller, actor.needs_code, &actor.target, code).await?;
    let (codes, kept) = daemon.recovery_codes(Work::Management).await?;
    let uid = actor.target.current_uid();
    let renewed = daemon
        .update(&actor.target, move |record| {
            let (proven, mut record) = proof.check(record);
            let renewed = proven.and_then(|()| {
                if !record.is_enrolled() || record.uid != uid {
                    return Err(Error::NotEnrolled(
                        "recovery codes stand in for a factor, and there is none: enroll first"
                            .into(),
                    ));
                }
                record.recovery = kept.clone();
                Ok(())
            });
            (renewed, record)
        })
        .await?;
    renewed.inspect_err(|error| refusal(daemon, actor, error))?;
    change(daemon, actor, "", "recovery codes made anew");
    Ok(shown(&codes))
}

fn shown(codes: &[RecoveryCode]) -> Vec<String> {
    codes.iter().map(|code| code.shown().to_string()).collect()
}
