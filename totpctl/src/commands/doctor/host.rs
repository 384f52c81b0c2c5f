//! What of this machine is in the way of the daemon: rights, room, directories, and the kernel's own rules.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::process::Stdio;

use super::report::Report;
use crate::client::Client;
use crate::pam::files::{FOLDERS, installed};
use crate::program;
use crate::terminal::output;

/// Adds what is wrong with files, disk and names.
pub(super) fn check(report: &mut Report) {
    for path in installed("pam_totp.so") {
        report.problems.extend(insecure_permissions(&path));
    }
    for path in ["/usr/libexec/totpd", "/usr/bin/totpctl", "/etc/totpd", "/etc/totpd/totpd.toml"] {
        report.problems.extend(insecure_permissions(Path::new(path)));
    }
    for folder in FOLDERS {
        report.problems.extend(insecure_permissions(Path::new(folder)));
        for file in fs::read_dir(folder).into_iter().flatten().flatten() {
            report.problems.extend(insecure_permissions(&file.path()));
        }
    }
    if !nix::unistd::geteuid().is_root() {
        report.notes.push("the store and the journal are looked at for root alone".into());
        return;
    }
    store(report);
    report.notes.extend(nsswitch(&fs::read_to_string("/etc/nsswitch.conf").unwrap_or_default()));
    denials(report);
}

/// By which fingerprint other hosts know the backups of this one. Root alone learns it; a store that
/// cannot be opened is named elsewhere.
pub(super) fn backup_signer(client: &Client, report: &mut Report) {
    if nix::unistd::geteuid().is_root()
        && let Ok(fingerprint) = client.store("Asking", async |totpd| totpd.fingerprint().await)
    {
        report.summary.push(format!("backups are signed by {}", output::escape(&fingerprint)));
    }
}

/// What the daemon cannot read of its configuration, by its own word: with that it does not start, and who asks it
/// waits for long.
pub(super) fn configuration() -> Option<String> {
    // Another user may not read it.
    if !nix::unistd::geteuid().is_root() {
        return None;
    }
    let mut check = program::at("/usr/libexec/totpd");
    let told = check.arg("--check-config").stdin(Stdio::null()).output().ok()?;
    if told.status.success() {
        return None;
    }
    let why = String::from_utf8_lossy(&told.stderr);
    Some(format!("totpd cannot start: {}", why.trim().replace('\n', "; ")))
}

/// Whether somebody but root can change a file that root's programs trust.
fn insecure_permissions(path: &Path) -> Option<String> {
    let told = fs::metadata(path).ok()?;
    let is_roots = told.uid() == 0
        && (told.mode() & 0o002 == 0)
        && (told.mode() & 0o020 == 0 || told.gid() == 0);
    (!is_roots).then(|| {
        format!(
            "{} can be changed by others than root: chown root:root and chmod go-w it",
            path.display()
        )
    })
}

fn store(report: &mut Report) {
    let folder = Path::new("/var/lib/totpd");
    let Ok(told) = fs::metadata(folder) else { return };
    if told.uid() != 0 || told.mode() & 0o077 != 0 {
        let told = "/var/lib/totpd is open to others than root: chown root:root and chmod 700 it";
        report.problems.push(told.into());
    }
    if let Ok(room) = rustix::fs::statvfs(folder) {
        let free = room.f_bavail.saturating_mul(room.f_frsize);
        if free < MIN_FREE_BYTES {
            report.problems.push(format!(
                "the disk of /var/lib/totpd has {} kB left: logins go on, enrollment soon does not; make room",
                free / 1024
            ));
        }
        if room.f_flag.contains(rustix::fs::StatVfsMountFlags::RDONLY) {
            report
                .problems
                .push("the disk of /var/lib/totpd is read-only, and nobody gets in".into());
        }
    }
}

/// Sources of users that the daemon can ask only with a drop-in of its unit.
fn nsswitch(text: &str) -> Option<String> {
    let passwd = text.lines().find_map(|line| line.trim().strip_prefix("passwd:"))?;
    let asked = passwd
        .split_whitespace()
        .find(|source| ["ldap", "nis", "nisplus", "hesiod"].contains(source))?;
    Path::new("/run/systemd/system").is_dir().then(|| {
        format!(
            "/etc/nsswitch.conf: users come from {asked} over the network, which the unit of totpd has none \
             of: if they are unknown to it, see directory.conf among the examples of the package"
        )
    })
}

/// What SELinux and AppArmor kept from the daemon or from the module since the machine was started.
fn denials(report: &mut Report) {
    let told = program::named("journalctl").and_then(|mut journal| {
        journal
            .args(["--quiet", "--no-pager", "--output=cat", "--boot", "--lines=2000"])
            .args(["_TRANSPORT=audit", "+", "_TRANSPORT=kernel"])
            .stdin(Stdio::null())
            .output()
    });
    let told = told.map(|told| String::from_utf8_lossy(&told.stdout).into_owned());
    if let Some(line) = denied(&told.unwrap_or_default()) {
        report.problems.push(format!("the kernel's rules (SELinux, AppArmor) stop totpd: {line}"));
    }
}

/// The last denial that names totpd.
fn denied(journal: &str) -> Option<&str> {
    let is_denial =
        |line: &&str| line.contains("avc:  denied") || line.contains("apparmor=\"DENIED\"");
    journal.lines().rev().filter(is_denial).find(|line| line.contains("totpd"))
}

/// Enough for many more users.
const MIN_FREE_BYTES: u64 = 8 * 1024 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_denial_of_ours_is_found() {
        let ours = "audit: type=1400 apparmor=\"DENIED\" operation=\"open\" profile=\"/usr/libexec/totpd\"";
        let journal = format!("x\n{ours}\naudit: apparmor=\"DENIED\" profile=\"other\"\ny totpd\n");
        assert_eq!(denied(&journal), Some(ours));
        assert_eq!(denied("totpd is fine\n"), None);
    }

    #[test]
    fn what_root_trusts_is_roots_lock() {
        let folder = std::env::temp_dir();
        assert!(insecure_permissions(&folder).is_some(), "everybody may write there");
        assert_eq!(insecure_permissions(Path::new("/usr/bin/env")), None);
        assert_eq!(insecure_permissions(Path::new("/no/such/file")), None);
    }
}
