//! Whether this host can ask for a code at all.

use crate::error::Error;
use crate::findings::{selinux, sshd};
use crate::pam::change::{Change, read_after};
use crate::unit;

/// Checks that sshd can ask, if the change is about it.
pub(super) fn check_sshd(service: &str, changes: &[Change]) -> Result<(), Error> {
    if service == "sshd"
        && let Some(problems) = sshd_problems(changes)
    {
        return Err(Error::refused(format!("not changed: {problems}")));
    }
    Ok(())
}

/// Returns why sshd cannot ask for a code after these changes, if so.
pub(in crate::commands) fn sshd_problems(changes: &[Change]) -> Option<String> {
    sshd::problems(&|file| read_after(changes, file))
}

/// Checks that the daemon answers. One that cannot start, or cannot be reached, would deny
/// everybody.
pub(super) fn check_totpd(service: &str) -> Result<(), Error> {
    if let Some(failure) = unit::start_failure() {
        return Err(Error::Unreachable(format!(
            "not changed: systemd cannot start totpd: {}; {}",
            failure.message, failure.fix
        )));
    }
    match selinux::problem(service) {
        Some(problem) => Err(Error::refused(format!("not changed: {problem}"))),
        None => Ok(()),
    }
}
