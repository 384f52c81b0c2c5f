//! The configuration of the daemon, as the daemon itself checks it.

use std::process::Stdio;

use crate::{installed, program};

/// Returns why the daemon rejects its configuration, for root. Such a daemon does not start, and
/// clients wait.
pub(crate) fn configuration_error() -> Option<String> {
    // Other users cannot read the configuration.
    if !nix::unistd::geteuid().is_root() {
        return None;
    }
    let mut check = program::at(installed::daemon());
    check.arg("--check-config").stdin(Stdio::null());
    let result = program::output_within(check, program::ANSWER_TIMEOUT).ok()?;
    if result.status.success() {
        return None;
    }
    Some(String::from_utf8_lossy(&result.stderr).trim().replace('\n', "; "))
}
