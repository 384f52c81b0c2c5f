//! The clock, on which codes depend.

use std::path::Path;
use std::process::Stdio;

use super::finding::{Finding, FindingId};
use super::report::Report;
use crate::program;

/// Adds whether the clock is synchronized, as systemd-timedated told it.
pub(super) fn check(is_synchronized: Option<bool>, report: &mut Report) {
    match (is_synchronized, is_container()) {
        (Some(true), _) => report.summarize("the clock is synchronized"),
        (Some(false), false) => report.problems.push(
            Finding::new(
                FindingId::ClockNotSynchronized,
                "the clock is not synchronized, and codes depend on it",
            )
            .fix("turn on NTP, for example systemd-timesyncd"),
        ),
        (Some(false), true) => report.notes.push(
            Finding::new(
                FindingId::ClockOfHost,
                "the clock is not known to be synchronized; codes depend on it, and the host of this \
                 container sets it",
            )
            .fix("turn on NTP on that host, or check its clock"),
        ),
        (None, _) => report.note(
            FindingId::ClockUnknown,
            "cannot tell whether the clock is synchronized: systemd-timedated does not answer",
        ),
    }
}

/// Reports whether this is a container, whose clock is that of its host.
fn is_container() -> bool {
    if Path::new("/run/systemd/container").exists() {
        return true;
    }
    program::find("systemd-detect-virt").is_ok_and(|mut detect| {
        let detect = detect.args(["--quiet", "--container"]).stdin(Stdio::null());
        detect.output().is_ok_and(|result| result.status.success())
    })
}
