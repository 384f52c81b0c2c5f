//! Whether this machine is a container.

use std::io;
use std::path::Path;
use std::process::Stdio;

use crate::program;

/// Reports whether this is a container, whose clock is that of its host.
///
/// # Errors
/// [`io::ErrorKind::TimedOut`] if systemd does not tell.
pub(crate) fn is_container() -> io::Result<bool> {
    if Path::new("/run/systemd/container").exists() {
        return Ok(true);
    }
    let Ok(mut detect) = program::find("systemd-detect-virt") else { return Ok(false) };
    detect.args(["--quiet", "--container"]).stdin(Stdio::null());
    match program::output_within(detect, program::ANSWER_TIMEOUT) {
        Err(error) if error.kind() == io::ErrorKind::TimedOut => Err(error),
        result => Ok(result.is_ok_and(|result| result.status.success())),
    }
}
