//! How the sshd of this host reads its files again.

use std::fmt;
use std::fs;
use std::path::Path;
use std::process::{Output, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use crate::error::Error;
use crate::host::sshd::launch::Launch;
use crate::host::sshd::launch::process::command_of_listener;
use crate::host::sshd::question::{ask_files, explain};
use crate::program;

/// The command for it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Reload {
    /// This unit is restarted, if it runs. An sshd that has its socket from systemd cannot bind it
    /// again, and would end at a reload.
    Unit(&'static str),
    /// The process whose number is in this file gets SIGHUP.
    Process(String),
}

impl Reload {
    /// Returns that of this host. `pid_file`: the `PidFile` of sshd.
    pub(crate) fn with_pid_file(pid_file: Option<&str>) -> Self {
        let units = ["/etc/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system"];
        let has_unit = |folder: &str| Path::new(folder).join("ssh.service").exists();
        match Path::new("/run/systemd/system").is_dir() {
            true if units.into_iter().any(has_unit) => Self::Unit("ssh"),
            true => Self::Unit("sshd"),
            false => Self::Process(pid_file.unwrap_or(USUAL_PID_FILE).to_owned()),
        }
    }

    /// Returns that of this host.
    pub(crate) fn of_host() -> Self {
        let answer = ask_files().ok();
        Self::with_pid_file(answer.as_ref().and_then(|answer| answer.config.pid_file.as_deref()))
    }

    /// Has sshd read its files, if it runs. Its sessions go on.
    ///
    /// # Errors
    /// sshd would not start with its files, or the command failed.
    pub(crate) fn run(&self) -> Result<(), Error> {
        check_files()?;
        match self {
            Self::Unit(unit) => {
                let output = program::find("systemctl").and_then(|mut systemctl| {
                    systemctl.args(["try-restart", unit]).stdin(Stdio::null());
                    program::output_within(systemctl, RESTART_TIMEOUT)
                });
                let output = output.map_err(|error| self.failure(&error.to_string()))?;
                match output.status.success() {
                    true => Ok(()),
                    false => Err(self.failure(String::from_utf8_lossy(&output.stderr).trim())),
                }
            }
            Self::Process(file) => {
                // Without a process that listens, there is nobody to tell.
                let number = fs::read_to_string(file).unwrap_or_default();
                let Some(pid) = number.trim().parse().ok().filter(|pid| is_sshd(*pid)) else {
                    return Ok(());
                };
                let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
                let sent = pid.map_or(Ok(()), |pid| kill_process(pid, Signal::HUP));
                sent.map_err(|error| self.failure(&error.to_string()))
            }
        }
    }

    fn failure(&self, reason: &str) -> Error {
        Error::refused(format!("sshd is not reloaded: {reason}; run {self}"))
    }
}

impl fmt::Display for Reload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unit(unit) => write!(f, "systemctl try-restart {unit}"),
            Self::Process(file) => write!(f, "kill -HUP $(cat {file})"),
        }
    }
}

/// Checks that sshd would start with its files (`sshd -t`).
///
/// # Errors
/// The reason that sshd gives.
pub(crate) fn check_files() -> Result<(), Error> {
    // It creates the folder that sshd has only while it runs.
    ask_files().map_err(|failure| Error::refused(failure.message))?;
    let checked = program::find("sshd").and_then(|mut sshd| {
        sshd.args(Launch::of_host().checked.words()).arg("-t").stdin(Stdio::null());
        program::output_within(sshd, program::ANSWER_TIMEOUT)
    });
    match checked {
        Ok(Output { status, .. }) if status.success() => Ok(()),
        Ok(output) => {
            let failure = explain(&String::from_utf8_lossy(&output.stderr));
            Err(Error::refused(format!("sshd would not start (sshd -t): {}", failure.message)))
        }
        Err(error) => Err(Error::refused(format!("cannot run sshd -t: {error}"))),
    }
}

fn is_sshd(pid: u32) -> bool {
    command_of_listener(pid).is_some()
}

const USUAL_PID_FILE: &str = "/run/sshd.pid";
const RESTART_TIMEOUT: Duration = Duration::from_secs(60);
