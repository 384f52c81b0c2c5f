//! Logins that need no code.

use totpd_core::account::Account;
use totpd_core::enrollment;
use totpd_core::record::Outline;
use totpd_interface::Error;

use crate::audit::event::{Event, LoginEvent, LoginOutcome, LoginScene};
use crate::daemon::Daemon;
use crate::login::ruling::Passage;

/// What the record of an account says to rules.
pub(super) struct Standing {
    /// The flag that the account may make a factor.
    pub(super) is_unenrolled: bool,
    /// The record, if there is one.
    pub(super) record: Option<Outline>,
}

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

/// Returns what the record of the account says. A damaged one says nothing, and its account makes
/// no factor.
pub(super) async fn standing(daemon: &Daemon, account: &Account) -> Result<Standing, Error> {
    let record = match daemon.read_outline(account).await {
        Err(Error::StoreCorrupt(_)) => return Ok(Standing { is_unenrolled: false, record: None }),
        stored => stored?,
    };
    let may_skip = |uid| record.as_ref().is_none_or(|record| enrollment::may_skip(record, uid));
    let is_unenrolled = account.uid.is_some_and(may_skip);
    Ok(Standing { is_unenrolled, record })
}
