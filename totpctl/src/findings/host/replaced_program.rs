//! A daemon that runs from another file than the installed one: it is of an older version.

use crate::findings::finding::{Finding, FindingId};
use crate::findings::report::Report;
use crate::host::process::{processes_of, runs_another_file};
use crate::installed;
use crate::unit::has_systemd;

/// Adds each such process of root, for root.
pub(super) fn check(report: &mut Report) {
    let program = installed::daemon();
    for process in processes_of(&program, 0) {
        if runs_another_file(&process, &program) {
            let pid = process.file_name().unwrap_or_default().to_string_lossy();
            report.problems.push(finding(&pid, has_systemd()));
        }
    }
}

fn finding(pid: &str, has_systemd: bool) -> Finding {
    let program = installed::daemon();
    let message = format!(
        "totpd (process {pid}) runs an older program: {} was replaced or removed after it started",
        program.display()
    );
    Finding::new(FindingId::TotpdReplaced, message).fix(match has_systemd {
        true => "run systemctl restart totpd".to_owned(),
        false => format!("run kill {pid}; if nothing starts it again, run {} &", program.display()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replaced_daemon_is_started_again() {
        assert!(finding("7", true).sentence().ends_with("; run systemctl restart totpd"));
        assert!(finding("7", false).sentence().contains("; run kill 7; if nothing starts it"));
    }
}
