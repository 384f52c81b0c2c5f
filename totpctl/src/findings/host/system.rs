//! Files and kernel rules that can stop the daemon or weaken the module.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use pam_stack::FACTOR_FILE;

use super::{rescue, store};
use crate::findings::finding::{Finding, FindingId};
use crate::findings::report::Report;
use crate::findings::selinux;
use crate::host::name_services::{self, Directory};
use crate::host::permissions::only_root_can_change;
use crate::pam::files;
use crate::pam::folders::folders;
use crate::{installed, program};

/// Checks permissions, the store, the way to repair the host, user directories and denials by the
/// kernel.
pub(super) fn check(report: &mut Report) {
    let programs = [installed::daemon(), installed::totpctl()].into_iter();
    // totpd judges its own configuration (`configuration_error`), and refuses more than this rule.
    let programs = programs.chain([PathBuf::from("/etc/totpd")]);
    let stacks = folders().iter().flat_map(|folder| {
        let files = fs::read_dir(folder).into_iter().flatten().flatten().map(|file| file.path());
        [Path::new(folder).to_path_buf()].into_iter().chain(files)
    });
    let trusted = files::find_installed(FACTOR_FILE).into_iter().chain(programs).chain(stacks);
    report.problems.extend(trusted.filter_map(|path| insecure_permissions(&path)));
    selinux::check(report);
    if !nix::unistd::geteuid().is_root() {
        let message = "the store and the journal are not checked: only root can read them";
        report
            .notes
            .push(Finding::new(FindingId::HostNotChecked, message).fix("run doctor as root"));
        return;
    }
    store::check(report);
    rescue::check(report);
    report.notes.extend(unreachable_directory(&name_services::directories()));
    denials(report);
}

/// Returns a problem if users other than root can change a file that root's programs trust.
fn insecure_permissions(path: &Path) -> Option<Finding> {
    let metadata = fs::metadata(path).ok()?;
    (!only_root_can_change(&metadata)).then(|| {
        Finding::new(FindingId::InsecurePermissions, "users other than root can change it")
            .fix("run chown root:root and chmod go-w on it")
            .in_file(path.display().to_string())
    })
}

/// Returns a note if users come from a directory that the daemon reaches only with a drop-in of its
/// unit.
fn unreachable_directory(directories: &[Directory]) -> Option<Finding> {
    if !Path::new("/run/systemd/system").is_dir() {
        return None;
    }
    let remote = directories.iter().filter(|directory| directory.needs_network);
    let sources: Vec<_> = remote.map(|directory| directory.source.as_str()).collect();
    (!sources.is_empty()).then(|| {
        Finding::new(
            FindingId::DirectoryUnreachable,
            format!(
                "users come from {} over the network, which the unit of totpd does not allow; if totpd \
                 does not know them, see directory.conf among the examples of the package",
                sources.join(" and ")
            ),
        )
        .in_file(name_services::configuration())
    })
}

/// Adds the last denial of the daemon or the module by SELinux or AppArmor since boot.
fn denials(report: &mut Report) {
    let result = program::find("journalctl").and_then(|mut journal| {
        journal
            .args(["--quiet", "--no-pager", "--output=cat", "--boot", "--lines=2000"])
            .args(["_TRANSPORT=audit", "+", "_TRANSPORT=kernel"])
            .stdin(Stdio::null());
        program::output_within(journal, program::ANSWER_TIMEOUT)
    });
    let Ok(result) = result else { return };
    if let Some(line) = last_denial(&String::from_utf8_lossy(&result.stdout)) {
        report.problems.push(denial(line));
    }
}

fn denial(line: &str) -> Finding {
    let message = format!("the kernel's rules (SELinux, AppArmor) stop totpd: {line}");
    Finding::new(FindingId::KernelDenied, message)
        .fix("load the profile or the module of the package again, and restart totpd")
}

/// Returns the last denial that names totpd.
fn last_denial(journal: &str) -> Option<&str> {
    let is_denial =
        |line: &&str| line.contains("avc:  denied") || line.contains("apparmor=\"DENIED\"");
    journal.lines().rev().filter(is_denial).find(|line| line.contains("totpd"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_denial_of_totpd_is_found() {
        let denial = "audit: type=1400 apparmor=\"DENIED\" operation=\"open\" profile=\"/usr/libexec/totpd\"";
        let journal =
            format!("x\n{denial}\naudit: apparmor=\"DENIED\" profile=\"other\"\ny totpd\n");
        assert_eq!(last_denial(&journal), Some(denial));
        assert_eq!(last_denial("totpd is fine\n"), None);
        assert!(super::denial(denial).sentence().ends_with("and restart totpd"));
    }

    #[test]
    fn a_trusted_file_is_writable_only_by_root() {
        let folder = std::env::temp_dir();
        assert!(insecure_permissions(&folder).is_some(), "everybody may write there");
        assert!(insecure_permissions(Path::new("/usr/bin/env")).is_none());
        assert!(insecure_permissions(Path::new("/no/such/file")).is_none());
    }
}
