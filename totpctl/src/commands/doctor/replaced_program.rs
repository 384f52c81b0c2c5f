//! A daemon that runs from another file than the installed one: it is of an older version.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use super::confinement::processes_of;
use super::finding::{Finding, FindingId};
use super::report::Report;
use crate::installed;
use crate::unit::has_systemd;

/// Adds each such process of root, for root.
pub(super) fn check(report: &mut Report) {
    let program = installed::daemon();
    for process in processes_of(&program, 0) {
        let running = process.join("exe");
        let link = fs::read_link(&running).unwrap_or_default();
        if is_replaced(&link, file(&running), file(&program)) {
            let pid = process.file_name().unwrap_or_default().to_string_lossy();
            report.problems.push(finding(&pid, has_systemd()));
        }
    }
}

/// The device and the inode of a file.
type File = (u64, u64);

fn file(path: &Path) -> Option<File> {
    fs::metadata(path).ok().map(|file| (file.dev(), file.ino()))
}

/// `link`: the name of the running program, as the kernel shows it.
fn is_replaced(link: &Path, running: Option<File>, installed: Option<File>) -> bool {
    link.to_string_lossy().ends_with(" (deleted)") || (running.is_some() && running != installed)
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
    fn another_file_of_the_same_name_is_a_replacement() {
        let name = Path::new("/usr/libexec/totpd");
        let deleted = Path::new("/usr/libexec/totpd (deleted)");
        let (old, new) = (Some((1, 2)), Some((1, 3)));
        for (link, running, installed, expected) in [
            (name, old, old, false),
            (name, old, new, true),
            (name, old, None, true),
            (deleted, old, new, true),
            (deleted, old, None, true),
            // The process has ended.
            (Path::new(""), None, old, false),
        ] {
            assert_eq!(is_replaced(link, running, installed), expected, "{link:?} {installed:?}");
        }
        assert!(finding("7", true).sentence().ends_with("; run systemctl restart totpd"));
        assert!(finding("7", false).sentence().contains("; run kill 7; if nothing starts it"));
    }
}
