//! The log of logins during `totpctl try`. It shows that a user can log in through the changed
//! stack. libpam requests credentials only after the whole stack has succeeded.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;

/// Appends a line to the file that `totpctl try` created. Without that file, as nearly always, this
/// does nothing. An error does not affect the login; totpctl then reverts the change.
pub(crate) fn record_login(service: &str, user: &str, ruser: &str) {
    let is_plain = |text: &&str| !text.contains(|c: char| c.is_control());
    if ![service, user, ruser].iter().all(is_plain) {
        return;
    }
    let no_wait = (rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK).bits();
    let file = OpenOptions::new().append(true).custom_flags(no_wait.cast_signed()).open(LOG_FILE);
    let Ok(mut file) = file else { return };
    if file.metadata().is_ok_and(|metadata| metadata.is_file() && metadata.len() < MAX_LOG_BYTES) {
        let _ = file.write_all(format!("{service}\t{user}\t{ruser}\n").as_bytes());
    }
}

/// The file of the log, in a folder that only root may enter.
const LOG_FILE: &str = "/run/totpctl/entered";
/// Bytes of the file. Further logins would prove nothing new.
const MAX_LOG_BYTES: u64 = 64 * 1024;
