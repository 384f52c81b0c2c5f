//! The log of logins during `totpctl try`. It shows that a user can log in through the changed
//! stack. libpam requests credentials only after the whole stack has succeeded.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;

use totpd_interface::{TRIAL_LOG, format_trial_login};

/// Appends a line to the file that `totpctl try` created. Without that file, as nearly always, this
/// does nothing. An error does not affect the login; totpctl then reverts the change.
pub(crate) fn record_login(service: &str, user: &str, ruser: &str) {
    let Some(line) = format_trial_login(service, user, ruser) else { return };
    let no_wait = (rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK).bits();
    let file = OpenOptions::new().append(true).custom_flags(no_wait.cast_signed()).open(TRIAL_LOG);
    let Ok(mut file) = file else { return };
    if file.metadata().is_ok_and(|metadata| metadata.is_file() && metadata.len() < MAX_LOG_BYTES) {
        let _ = file.write_all(format!("{line}\n").as_bytes());
    }
}

/// Bytes of the file. Further logins would prove nothing new.
const MAX_LOG_BYTES: u64 = 64 * 1024;
