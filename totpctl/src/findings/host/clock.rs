//! The clock, on which codes depend.

use std::io;

use crate::findings::finding::{Finding, FindingId};
use crate::findings::report::Report;
use crate::host::container::is_container;

/// Adds whether the clock is synchronized, as systemd-timedated told it. A host without systemd has
/// none.
pub(super) fn check(is_synchronized: Option<bool>, has_systemd: bool, report: &mut Report) {
    match is_synchronized {
        Some(true) => report.summarize("the clock is synchronized"),
        Some(false) => not_synchronized(is_container(), report),
        None => report.notes.push(
            Finding::new(
                FindingId::ClockUnknown,
                match has_systemd {
                    true => {
                        "cannot tell whether the clock is synchronized: systemd-timedated does not answer"
                    }
                    false => {
                        "cannot tell whether the clock is synchronized: without systemd nothing here tells it"
                    }
                },
            )
            .fix("check the clock yourself, for example with date, chronyc tracking or ntpq -p"),
        ),
    }
}

/// Adds that the clock is not synchronized. A machine that does not tell whether it is a container
/// is none.
fn not_synchronized(is_container: io::Result<bool>, report: &mut Report) {
    let problem = Finding::new(
        FindingId::ClockNotSynchronized,
        "the clock is not synchronized, and codes depend on it",
    )
    .fix("turn on NTP, for example systemd-timesyncd");
    match is_container {
        Ok(false) => report.problems.push(problem),
        Ok(true) => report.notes.push(
            Finding::new(
                FindingId::ClockOfHost,
                "the clock is not known to be synchronized; codes depend on it, and the host of this \
                 container sets it",
            )
            .fix("turn on NTP on the host of this container, or check its clock"),
        ),
        Err(silence) => {
            report.problems.push(problem.remark(&format!("systemd-detect-virt: {silence}")));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_of_a_container_is_that_of_its_host() {
        let silence = || io::Error::new(io::ErrorKind::TimedOut, "it does not answer within 5 s");
        for (is_container, problems, notes) in [
            (Ok(false), &[FindingId::ClockNotSynchronized][..], &[][..]),
            (Ok(true), &[], &[FindingId::ClockOfHost]),
            (Err(silence()), &[FindingId::ClockNotSynchronized], &[]),
        ] {
            let says_silence = is_container.is_err();
            let mut report = Report::default();
            not_synchronized(is_container, &mut report);
            let ids = |list: &[Finding]| list.iter().map(Finding::id).collect::<Vec<_>>();
            assert_eq!(
                (ids(&report.problems), ids(&report.notes)),
                (problems.into(), notes.into())
            );
            let told = format!("{:?}", report.problems);
            let expected = "(systemd-detect-virt: it does not answer within 5 s)";
            assert_eq!(told.contains(expected), says_silence, "{told}");
        }
    }

    #[test]
    fn an_unknown_clock_has_a_change_to_make() {
        let mut report = Report::default();
        check(None, true, &mut report);
        check(None, false, &mut report);
        for (note, expected) in report.notes.iter().zip(["timedated does not", "without systemd"]) {
            let told = note.sentence();
            assert!(told.contains("check the clock yourself") && told.contains(expected), "{told}");
        }
    }
}
