//! The countdown outlives this program, its terminal and the network. It is a timer of systemd, or
//! a process of its own on machines without systemd. Neither uses the time of day, which can be
//! set.

use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use super::state::Trial;
use crate::error::Error;
use crate::{installed, program};

/// Starts the countdown.
pub(super) fn start(trial: &Trial, time: Duration) -> Result<(), Error> {
    // The countdown never runs the running program. Root may have started a file that another user
    // can change.
    let totpctl = installed::totpctl();
    let seconds = time.as_secs().to_string();
    if has_systemd() {
        let started = program::find("systemd-run")
            .map_err(|error| cannot_change(&error))?
            .args(["--quiet", "--collect", "--timer-property=AccuracySec=1s"])
            .arg(format!("--unit={}", unit(trial)))
            .arg(format!("--on-active={seconds}s"))
            .arg("--description=Revert a change of PAM that is being tried")
            .arg(&totpctl)
            .args(["try", "--count-down", "0", "--of", &trial.id])
            .stdin(Stdio::null())
            .output()
            .map_err(|error| cannot_change(&error))?;
        return match started.status.success() {
            true => Ok(()),
            false => Err(cannot_change(&String::from_utf8_lossy(&started.stderr).trim())),
        };
    }
    program::at(totpctl)
        .args(["try", "--count-down", &seconds, "--of", &trial.id])
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map(|_| ())
        .map_err(|error| cannot_change(&error))
}

/// Waits in a session of its own, until the time is over or nothing is left to wait for.
pub(super) fn wait(time: Duration, is_over: &dyn Fn() -> bool) {
    // This succeeds because the process leads no group. If it does not, the process waits all the
    // same.
    let _ = nix::unistd::setsid();
    let start = Instant::now();
    while let Some(left) = time.checked_sub(start.elapsed()).filter(|left| !left.is_zero()) {
        if is_over() {
            return;
        }
        thread::sleep(left.min(POLL_INTERVAL));
    }
}

/// A look at a countdown, from time to time.
pub(super) struct Look {
    next: Instant,
    /// How many looks in a row found none.
    misses: u32,
}

impl Look {
    pub(super) fn new() -> Self {
        Self { next: Instant::now() + LOOK_INTERVAL, misses: 0 }
    }

    /// Reports whether nothing will end the trial, if a look is due. One look may come just between
    /// the timer and its service, so two count.
    pub(super) fn finds_no_end(&mut self, will_end: &dyn Fn() -> bool) -> bool {
        if Instant::now() < self.next {
            return false;
        }
        self.next = Instant::now() + LOOK_INTERVAL;
        self.misses = if will_end() { 0 } else { self.misses + 1 };
        self.misses >= 2
    }
}

/// Reports whether the countdown of a trial is over, or was stopped. If that is not known, it is
/// not.
pub(super) fn is_gone(trial: &Trial) -> bool {
    match has_systemd() {
        true => program::find("systemctl")
            .and_then(|mut systemctl| {
                let units = ["timer", "service"].map(|kind| format!("{}.{kind}", unit(trial)));
                systemctl.args(["show", "--property=ActiveState"]).args(units).stdin(Stdio::null());
                program::output_within(systemctl, program::ANSWER_TIMEOUT)
            })
            .is_ok_and(|output| {
                output.status.success() && are_inactive(&String::from_utf8_lossy(&output.stdout))
            }),
        false => !has_process(&trial.id),
    }
}

/// Reports whether units neither run nor wait. `states`: what `systemctl show` tells of each.
fn are_inactive(states: &str) -> bool {
    let mut states = states.lines().filter_map(|line| line.strip_prefix("ActiveState=")).peekable();
    states.peek().is_some() && states.all(|state| matches!(state, "inactive" | "failed"))
}

/// Reports whether a process counts down for the trial with this id.
fn has_process(id: &str) -> bool {
    let mut processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    processes.any(|process| {
        let read = |name| fs::read(process.path().join(name)).unwrap_or_default();
        counts_down(&read("cmdline"), id) && is_roots(&String::from_utf8_lossy(&read("status")))
    })
}

/// Reports whether the words of a process are those of a countdown for the trial with this id.
fn counts_down(words: &[u8], id: &str) -> bool {
    let mut words = words.split(|byte| *byte == 0);
    words.any(|word| word == b"--count-down") && words.any(|word| word == id.as_bytes())
}

/// Reports whether root started a process. Any user may start one with these words, also by a
/// program that becomes root. `status`: the text of `/proc/PID/status`.
fn is_roots(status: &str) -> bool {
    let uids = status.lines().find_map(|line| line.strip_prefix("Uid:")).unwrap_or_default();
    let mut uids = uids.split_whitespace().peekable();
    uids.peek().is_some() && uids.all(|uid| uid == "0")
}

/// Stops the timer, if there is one.
pub(super) fn stop(trial: &Trial) {
    if has_systemd() {
        let timer = format!("{}.timer", unit(trial));
        let _ = program::find("systemctl")
            .and_then(|mut systemctl| systemctl.args(["stop", "--quiet", &timer]).output());
    }
}

fn unit(trial: &Trial) -> String {
    format!("totpctl-try-{}", trial.id)
}

fn has_systemd() -> bool {
    Path::new("/run/systemd/system").is_dir()
}

fn cannot_change(reason: &dyn std::fmt::Display) -> Error {
    Error::refused(format!("not changed: cannot start the countdown: {reason}"))
}

/// How often the watcher of a trial looks for its countdown. systemd answers in some milliseconds.
const LOOK_INTERVAL: Duration = Duration::from_secs(2);
/// How often a process looks whether its trial has ended.
const POLL_INTERVAL: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[test]
    fn a_countdown_is_gone_if_neither_its_timer_nor_its_service_runs() {
        for (states, expected) in [
            ("ActiveState=inactive\n\nActiveState=inactive\n", true),
            ("ActiveState=failed\n\nActiveState=inactive\n", true),
            ("ActiveState=active\n\nActiveState=inactive\n", false),
            ("ActiveState=inactive\n\nActiveState=activating\n", false),
            ("", false),
        ] {
            assert_eq!(are_inactive(states), expected, "{states:?}");
        }
        assert!(!has_process("no-such-trial"));
    }

    #[test]
    fn only_root_counts_down() {
        let words = ["totpctl", "try", "--count-down", "60", "--of", "5-7", ""].join("\0");
        assert!(counts_down(words.as_bytes(), "5-7") && !counts_down(words.as_bytes(), "5-8"));
        assert!(is_roots("Name:\ttotpctl\nUid:\t0\t0\t0\t0\nGid:\t0\t0\t0\t0\n"));
        for others in ["Uid:\t1000\t1000\t1000\t1000", "Uid:\t1000\t0\t0\t0", "Uid:", ""] {
            assert!(!is_roots(others), "{others:?}");
        }
    }

    #[test]
    fn two_looks_in_a_row_that_find_no_countdown_count() {
        let mut look = Look::new();
        assert!(!look.finds_no_end(&|| panic!("it is not due")));
        for (will_end, expected) in
            [(false, false), (true, false), (false, false), (false, true), (false, true)]
        {
            look.next = Instant::now();
            assert_eq!(look.finds_no_end(&|| will_end), expected);
        }
    }

    #[test]
    fn a_countdown_ends_with_its_trial() {
        let asked = Cell::new(0);
        let is_over = || {
            asked.set(asked.get() + 1);
            asked.get() == 2
        };
        wait(Duration::from_secs(600), &is_over);
        assert_eq!(asked.get(), 2);
        wait(Duration::ZERO, &|| panic!("the time is over"));
    }
}
