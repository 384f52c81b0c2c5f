//! Changing what of a factor is no secret.

use totpd_core::factor::Factor;
use totpd_interface::{Dictionary, Error};
use zeroize::Zeroizing;

use crate::audit::change::{change, refusal};
use crate::daemon::Daemon;
use crate::manage::authorization::AuthorizedCaller;
use crate::manage::factor_changes::Changes;
use crate::manage::reauthentication::Reauthentication;

/// Changes a waiting factor or a verified one in what is no secret.
pub(crate) async fn set(
    daemon: &Daemon,
    actor: &AuthorizedCaller,
    id: &str,
    changes: &Dictionary,
    code: &Zeroizing<String>,
) -> Result<(), Error> {
    let changes = Changes::parse(changes)?;
    if actor.needs_code && !changes.is_a_name_alone() {
        return Err(Error::NotAuthorized(
            "you may rename your factor; its limits are your administrator's".into(),
        ));
    }
    let proof =
        Reauthentication::of(daemon, actor.caller, actor.needs_code, &actor.target, code).await?;
    let (wanted, uid) = (id.to_owned(), actor.target.current_uid());
    let changed = daemon
        .update(&actor.target, move |record| {
            let (proven, mut record) = proof.check(record);
            let changed = proven.and_then(|()| {
                let found: Option<&mut Factor> = match record.uid == uid {
                    true => record.factors.iter_mut().find(|f| f.id.as_str() == wanted),
                    false => None,
                };
                let no_such = || Error::NotEnrolled("there is no such factor".into());
                changes.apply(found.ok_or_else(no_such)?)
            });
            (changed, record)
        })
        .await?;
    changed.inspect_err(|error| refusal(daemon, actor, error))?;
    change(daemon, actor, id, "factor changed");
    Ok(())
}
