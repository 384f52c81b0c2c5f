//! The recovery codes that come with the first factor of a user.

use totpd_core::account::Account;
use totpd_core::management;
use totpd_core::recovery_codes::RecoveryCode;
use totpd_interface::Error;

use crate::daemon::Daemon;
use crate::daemon::hash_worker::Work;

/// Makes recovery codes for a user who has none left. The daemon shows them once, and never again.
///
/// # Errors
/// The errors of [`Daemon::read`], [`Daemon::recovery_codes`] and [`Daemon::update`].
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
        .update(account, move |record, _| management::add_recovery_codes(record, &hashes))
        .await?;
    Ok(if has_codes { display(&codes) } else { Vec::new() })
}

/// Returns the codes in the form that people type.
pub(crate) fn display(codes: &[RecoveryCode]) -> Vec<String> {
    codes.iter().map(|code| code.display().to_string()).collect()
}
