//! How the sshd of this host reads its files again: the command for it, and whether it did.

mod running;

use std::collections::BTreeSet;
use std::fmt;
use std::fs;
use std::path::Path;
use std::process::{Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use self::running::{Running, are_renewed, running};
use crate::error::Error;
use crate::host::sshd::launch::Launch;
use crate::host::sshd::question::{ask_files, explain};
use crate::program;

/// The command for it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Reload {
    /// This unit is restarted, if it runs. An sshd that has its socket from systemd cannot bind it
    /// again, and would end at a reload.
    Unit(&'static str),
    /// These processes get SIGHUP, as a shell has them.
    Process(String),
}

/// When sshd has its files as they are.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Reloaded {
    /// All that listen have read them.
    Now,
    /// None listens.
    AtItsStart,
}

impl Reload {
    /// Returns that of this host. `pid_file`: the `PidFile` of sshd.
    pub(crate) fn with_pid_file(pid_file: Option<&str>) -> Self {
        let units = ["/etc/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system"];
        let has_unit = |folder: &str| Path::new(folder).join("ssh.service").exists();
        let running = running();
        let pids: Vec<_> = running.iter().map(|one| one.pid.to_string()).collect();
        let of_file = pid_file.filter(|file| {
            let pid = fs::read_to_string(file).unwrap_or_default();
            pids.is_empty() || pids == [pid.trim()]
        });
        match running.iter().find_map(Running::unit) {
            Some(unit) if has_systemd() => Self::Unit(unit),
            None if has_systemd() && pids.is_empty() => {
                Self::Unit(if units.into_iter().any(has_unit) { "ssh" } else { "sshd" })
            }
            _ => Self::Process(match of_file {
                Some(file) => format!("$(cat {file})"),
                None if pids.is_empty() => format!("$(cat {USUAL_PID_FILE})"),
                None => pids.join(" "),
            }),
        }
    }

    /// Returns that of this host.
    pub(crate) fn of_host() -> Self {
        let answer = ask_files().ok();
        Self::with_pid_file(answer.as_ref().and_then(|answer| answer.config.pid_file.as_deref()))
    }

    /// Has each sshd that listens read its files, and waits until it did. Its sessions go on.
    ///
    /// # Errors
    /// sshd would not start with its files, the command failed, or one did not read them.
    pub(crate) fn run(&self) -> Result<Reloaded, Error> {
        let before = running();
        if before.is_empty() {
            return Ok(Reloaded::AtItsStart);
        }
        check_files()?;
        let units = before.iter().filter_map(Running::unit).filter(|_| has_systemd());
        for unit in units.collect::<BTreeSet<_>>() {
            let output = program::find("systemctl").and_then(|mut systemctl| {
                systemctl.args(["try-restart", unit]).stdin(Stdio::null());
                program::output_within(systemctl, RESTART_TIMEOUT)
            });
            let output = output.map_err(|error| self.failure(&error.to_string()))?;
            if !output.status.success() {
                return Err(self.failure(String::from_utf8_lossy(&output.stderr).trim()));
            }
        }
        let left = running().into_iter().filter(|one| before.iter().any(|old| old.is_same(one)));
        for one in left {
            let pid = i32::try_from(one.pid).ok().and_then(Pid::from_raw);
            let sent = pid.map_or(Ok(()), |pid| kill_process(pid, Signal::HUP));
            sent.map_err(|error| self.failure(&error.to_string()))?;
        }
        let start = Instant::now();
        while !are_renewed(&before, &running()) {
            if start.elapsed() > READ_TIMEOUT {
                let pids: Vec<_> = before.iter().map(|one| one.pid.to_string()).collect();
                let reason = format!(
                    "the sshd that listens (process {}) did not read its files again",
                    pids.join(", ")
                );
                return Err(self.failure(&reason));
            }
            thread::sleep(POLL_INTERVAL);
        }
        Ok(Reloaded::Now)
    }

    /// Does [`Reload::run`] for this host. At boot no sshd listens yet, and none is asked how it is
    /// reloaded.
    pub(crate) fn run_of_host() -> Result<Reloaded, Error> {
        match running().as_slice() {
            [] => Ok(Reloaded::AtItsStart),
            _ => Self::of_host().run(),
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
            Self::Process(pids) => write!(f, "kill -HUP {pids}"),
        }
    }
}

impl fmt::Display for Reloaded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Now => "sshd is reloaded",
            Self::AtItsStart => "no sshd runs, so it is read at the next start",
        })
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

fn has_systemd() -> bool {
    Path::new("/run/systemd/system").is_dir()
}

const USUAL_PID_FILE: &str = "/run/sshd.pid";
const RESTART_TIMEOUT: Duration = Duration::from_secs(60);
/// How long sshd may take to read its files.
const READ_TIMEOUT: Duration = Duration::from_secs(5);
const POLL_INTERVAL: Duration = Duration::from_millis(50);
