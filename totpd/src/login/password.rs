//! The change of a password. A code that somebody gave under the old one opens nothing to those who
//! have the new one.

use totpd_core::authorization::Operation;
use totpd_core::record_key::RecordKey;
use totpd_interface::Error;
use totpd_interface::login::PasswordReply;

use crate::access::caller::Caller;
use crate::audit::event::{ChangeEvent, Event, Factors};
use crate::audit::reason::Reason;
use crate::daemon::Daemon;

/// Ends what is remembered of logins of `user`. Root alone may say that a password changed: the
/// programs that change one run as root. Nothing of their message counts but the user.
///
/// # Errors
/// [`Error::NotAuthorized`]. The other errors of the contract.
pub(super) async fn changed(
    daemon: &Daemon,
    caller: Caller,
    user: &str,
) -> Result<PasswordReply, Error> {
    caller.must_be_allowed(Operation::ReportPassword)?;
    let account = daemon.account(caller.lane(), user).await?;
    let has_ended = daemon.end_trust(&account).await? > 0;
    if let (RecordKey::User(user), true) = (&account.key, has_ended) {
        let (factors, reason) = (Factors::Unnamed, Reason::PasswordChanged);
        let event = ChangeEvent { by: caller, user, is_own: false, factors, reason };
        daemon.audit.record(&Event::Change(event));
    }
    Ok(PasswordReply { has_ended })
}
