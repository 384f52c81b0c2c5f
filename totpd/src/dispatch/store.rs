//! The interface `org.totpd.Totp1.Store`.

use totpd_interface::Error;
use totpd_interface::arguments::Arguments;
use zbus::OwnedFd;

use crate::dispatch::call::{Answer, Call, Refusal};
use crate::manage::store::StoreService;

/// Calls the method of the name `member`, and writes its reply.
pub(crate) async fn dispatch(
    store: Option<&StoreService>,
    call: &Call<'_>,
    member: &str,
) -> Answer {
    let no_store = || Error::StoreUnavailable("the store cannot be opened".into());
    let (store, origin) = (store.ok_or_else(no_store)?, call.origin);
    match member {
        "Backup" => {
            let (target, Arguments(options)): (OwnedFd, _) = call.arguments("ha{sv}")?;
            call.reply(&store.backup(origin, target.into(), &options).await?)
        }
        "Restore" => {
            let (source, Arguments(options)): (OwnedFd, _) = call.arguments("ha{sv}")?;
            call.reply(&store.restore(origin, source.into(), &options).await?)
        }
        "Rekey" => {
            call.no_arguments()?;
            call.reply(&store.rekey(origin).await?)
        }
        "Verify" => {
            call.no_arguments()?;
            call.reply(&store.verify(origin).await?)
        }
        "Fingerprint" => {
            call.no_arguments()?;
            call.reply(&store.fingerprint(origin)?)
        }
        "Progress" => {
            call.no_arguments()?;
            call.reply(&store.progress(origin)?)
        }
        _ => Err(Refusal::NO_METHOD),
    }
}
