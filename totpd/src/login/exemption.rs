//! Logins that need no code.

use totpd_core::account::Account;
use totpd_core::enrollment;
use totpd_interface::Error;

use crate::audit::event::{Event, LoginEvent, LoginOutcome, LoginScene};
use crate::daemon::Daemon;
use crate::login::ruling::Passage;

/// Records that a rule lets in the login without a code. Returns the message for the person.
pub(super) fn let_by(
    daemon: &Daemon,
    login: LoginScene<'_>,
    passage: Passage<'_>,
) -> Option<String> {
    let Passage { rule, reason, message } = passage;
    let event = LoginEvent::new(login, LoginOutcome::Skipped, reason);
    daemon.audit.record(&Event::Login(LoginEvent { rule: Some(&rule.name), ..event }));
    message
}

/// Reports whether the account may make a factor. What a damaged record says reads as "no".
pub(super) async fn is_unenrolled(daemon: &Daemon, account: &Account) -> Result<bool, Error> {
    let record = match daemon.read_outline(account).await {
        Err(Error::StoreCorrupt(_)) => return Ok(false),
        stored => stored?,
    };
    let may_skip = |uid| record.is_none_or(|record| enrollment::may_skip(&record, uid));
    Ok(account.uid.is_some_and(may_skip))
}
