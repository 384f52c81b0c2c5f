//! While an administrator tries a change of a stack (`totpctl try`), who got in by it is noted: libpam asks for
//! credentials only after the whole stack let somebody in.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;

/// Adds a line of these words to the file that totpctl made for it, and nothing where there is none, as
/// nearly always. Whatever goes wrong, the login is none the worse for it, and the change is put back.
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

/// In a folder that root alone may enter.
const LOG_FILE: &str = "/run/totpctl/entered";
/// Bytes of the file; more logins than that prove nothing more.
const MAX_LOG_BYTES: u64 = 64 * 1024;
