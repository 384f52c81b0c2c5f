//! The log of logins during `totpctl try`. It shows that a user can log in through the changed
//! stack. libpam requests credentials only after the whole stack has succeeded.

use rustix::fs::{FileType, Mode, OFlags, fstat, open};
use rustix::io::pwrite;

use totpd_interface::{TRIAL_LOG, format_trial_login};

/// Appends a line to the file that `totpctl try` created. Without that file, as nearly always, this
/// does nothing. An error does not affect the login; totpctl then reverts the change.
pub(crate) fn record_login(service: &str, user: &str, ruser: &str) {
    let Some(mut line) = format_trial_login(service, user, ruser) else { return };
    line.push('\n');
    let no_wait = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let file = open(TRIAL_LOG, OFlags::WRONLY | OFlags::APPEND | no_wait, Mode::empty());
    let Ok(file) = file else { return };
    let is_log = fstat(&file).is_ok_and(|state| {
        FileType::from_raw_mode(state.st_mode) == FileType::RegularFile
            && u64::try_from(state.st_size).is_ok_and(|size| size < MAX_LOG_BYTES)
    });
    if is_log {
        // One call, so that lines of several logins do not mix. The file is appended to, wherever
        // pwrite is told to write. The `write` of libc is absent here.
        let _ = pwrite(&file, line.as_bytes(), 0);
    }
}

/// Bytes of the file. Further logins would prove nothing new.
const MAX_LOG_BYTES: u64 = 64 * 1024;
