//! The proof of a caller before it changes factors, parsed and ready to be judged.

use totpd_core::management::Reauthentication;
use totpd_core::source::Source;
use totpd_core::verification::Attempt;
use totpd_interface::Error;

use crate::daemon::Daemon;
use crate::host::clock;
use crate::manage::authorization::AuthorizedCaller;

/// Returns the proof of `caller` by `code`. The code may be empty, or a recovery code.
///
/// # Errors
/// The errors of [`Daemon::classify_answer`].
pub(crate) async fn reauthentication(
    daemon: &Daemon,
    caller: &AuthorizedCaller,
    code: &str,
) -> Result<Reauthentication, Error> {
    if !caller.is_own {
        return Ok(Reauthentication::NotNeeded);
    }
    let source = Source::Uid(caller.caller.uid);
    let attempt = Attempt {
        answer: daemon.classify_answer(&caller.account, code, &source).await?,
        factor: None,
        service: None,
        source,
        uid: caller.account.current_uid(),
        now: clock::now(),
    };
    let rules = daemon.config.rules.clone();
    Ok(Reauthentication::CurrentCode { attempt, is_given: !code.is_empty(), rules })
}
