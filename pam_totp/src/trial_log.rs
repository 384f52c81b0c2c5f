//! The log of logins during `totpctl try`. It shows that a user can log in with a code through the
//! changed stack.
//!
//! Two lines tell that, and a mark joins them. A right code alone does not: a later line of the
//! stack may refuse. libpam requests credentials only after the whole stack has succeeded, but it
//! does so after a key, too. The mark is random, and the login carries it from the one line to the
//! other in its PAM environment, as sshd does that in two processes.

use std::os::fd::OwnedFd;

use rustix::fs::{FileType, Mode, OFlags, fstat, open};
use rustix::io::pwrite;

use totpd_interface::{TRIAL_LOG, TrialEvent};

/// The file that `totpctl try` created.
pub(crate) struct TrialLog(OwnedFd);

impl TrialLog {
    /// Opens the file. Without it, as nearly always, nothing is recorded.
    pub(crate) fn open() -> Option<Self> {
        let no_wait = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let file = open(TRIAL_LOG, OFlags::WRONLY | OFlags::APPEND | no_wait, Mode::empty());
        let file = file.ok()?;
        let is_log = fstat(&file).is_ok_and(|state| {
            FileType::from_raw_mode(state.st_mode) == FileType::RegularFile
                && u64::try_from(state.st_size).is_ok_and(|size| size < MAX_LOG_BYTES)
        });
        is_log.then_some(Self(file))
    }

    /// Appends a line. An error does not affect the login; totpctl then reverts the change.
    pub(crate) fn append(&self, event: &TrialEvent<'_>) {
        let Some(mut line) = event.line() else { return };
        line.push('\n');
        // One call, so that lines of several logins do not mix. The file is appended to, wherever
        // pwrite is told to write. The `write` of libc is absent here.
        let _ = pwrite(&self.0, line.as_bytes(), 0);
    }
}

/// Bytes of the file. Further logins would prove nothing new.
const MAX_LOG_BYTES: u64 = 64 * 1024;
