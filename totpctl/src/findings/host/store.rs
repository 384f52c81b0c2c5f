//! The folder of the store: who can enter it, and whether users can log in when its disk is full.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use rustix::fs::{FsWord, StatVfsMountFlags, statfs, statvfs};

use crate::findings::finding::{Finding, FindingId};
use crate::findings::report::Report;
use crate::host::copy_on_write::{Copying, copying_of, is_btrfs};

/// Checks the folder of the store and its disk, for root.
pub(super) fn check(report: &mut Report) {
    let folder = Path::new(FOLDER);
    let Ok(metadata) = fs::metadata(folder) else { return };
    if metadata.ino() == LEFT_OUT_SUBVOLUME && is_btrfs(folder) {
        report.problems.push(left_out());
        return;
    }
    if metadata.uid() != 0 || metadata.mode() & 0o077 != 0 {
        report.problem(
            FindingId::StorePermissions,
            "users other than root can enter /var/lib/totpd; run chown root:root and chmod 700 on it",
        );
    }
    report.notes.extend(waits_for_disk(&WITNESS_FOLDERS.map(Path::new)));
    let copying = copying_of(&folder.join("store.db"));
    if let Ok(disk) = statvfs(folder) {
        let free = disk.f_bavail.saturating_mul(disk.f_frsize);
        report.problems.extend(full_disk(free, copying.is_some()));
        if disk.f_flag.contains(StatVfsMountFlags::RDONLY) {
            report.problem(
                FindingId::StoreDiskReadOnly,
                "the disk of /var/lib/totpd is read-only, so nobody can log in; mount it read-write",
            );
        }
    }
    match copying.map(copying_finding) {
        Some((true, problem)) => report.problems.push(problem),
        Some((false, note)) => report.notes.push(note),
        None => {}
    }
}

/// Returns the problem that a snapshot has an empty folder in the place of the store.
fn left_out() -> Finding {
    let finding = Finding::new(
        FindingId::StoreLeftOut,
        "nobody can log in with a code, because the system was rolled back to a Btrfs snapshot without the store",
    );
    finding.in_file(FOLDER).fix(
        "move the subvolume of the store there, or remove the folder and restore a backup \
         (docs/admin/store.md, \"Btrfs\")",
    )
}

/// Returns what follows if the file system copies what it overwrites, and whether it is a problem.
fn copying_finding(copying: Copying) -> (bool, Finding) {
    let file = format!("{FOLDER}/store.db");
    match copying {
        Copying::Curable => {
            let message = "Btrfs copies what it overwrites here, so a full disk keeps everybody with a code out";
            let finding = Finding::new(FindingId::StoreCopyOnWrite, message);
            (true, finding.in_file(file).fix(MOVE_TO_SUBVOLUME))
        }
        Copying::InSnapshot => {
            let message = "a snapshot shares the blocks of this file, so the next logins need free space on the disk";
            let finding = Finding::new(FindingId::StoreInSnapshot, message);
            (false, finding.in_file(file).fix(MOVE_TO_SUBVOLUME))
        }
        Copying::Unknown(reason) => {
            let message =
                format!("cannot tell whether a snapshot shares the blocks of this file: {reason}");
            let finding = Finding::new(FindingId::StoreInSnapshot, message).in_file(file);
            (false, finding.fix("run filefrag -v on it, and look for shared"))
        }
        Copying::Always(file_system) => {
            let message = format!(
                "{file_system} always copies what it overwrites, so a full disk keeps everybody with a code out"
            );
            let finding = Finding::new(FindingId::StoreCopyAlways, message).in_file(FOLDER);
            (
                false,
                finding.fix(
                    "watch the free space, or mount a file system that overwrites in place, such as ext4",
                ),
            )
        }
    }
}

/// Returns a note if the first of these folders that exists is on no tmpfs. Then totpd does not
/// believe its witness there.
fn waits_for_disk(folders: &[&Path]) -> Option<Finding> {
    let (folder, found) = folders.iter().find_map(|path| Some((path, statfs(*path).ok()?)))?;
    if found.f_type == TMPFS_MAGIC {
        return None;
    }
    let finding = Finding::new(
        FindingId::StoreWaitsForDisk,
        "this is on no tmpfs, so every login waits until the disk has the used code",
    );
    Some(finding.in_file(folder.display().to_string()).fix(
        "mount a tmpfs at /run, or at /run/totpd before totpd starts (docs/admin/store.md, \"What a \
         power cut costs\")",
    ))
}

/// Returns a problem if the disk is nearly full.
fn full_disk(free_bytes: u64, copies: bool) -> Option<Finding> {
    if free_bytes >= MIN_FREE_BYTES {
        return None;
    }
    let consequence = match copies {
        true => "logins with a code and enrollment will fail",
        false => "logins still work, but enrollment will fail",
    };
    let message =
        format!("the disk of /var/lib/totpd has {} kB left: {consequence}", free_bytes / 1024);
    Some(Finding::new(FindingId::StoreDiskFull, message).fix("free some space"))
}

const FOLDER: &str = "/var/lib/totpd";
/// The folder of the witness, and those that it is made in.
const WITNESS_FOLDERS: [&str; 3] = ["/run/totpd/witness", "/run/totpd", "/run"];
const TMPFS_MAGIC: FsWord = 0x0102_1994;
/// Room for many more users.
const MIN_FREE_BYTES: u64 = 8 * 1024 * 1024;
const MOVE_TO_SUBVOLUME: &str =
    "move the store into a subvolume of its own (docs/admin/store.md, \"Btrfs\")";
/// The inode of the folder that a snapshot has in the place of a subvolume.
const LEFT_OUT_SUBVOLUME: u64 = 2;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_on_no_tmpfs_makes_logins_wait() {
        // These two are what they are on every Linux.
        let (tmpfs, other) = (Path::new("/dev/shm"), Path::new("/proc"));
        let missing = Path::new("/nonexistent/witness");
        if statfs(tmpfs).is_ok_and(|found| found.f_type == TMPFS_MAGIC) {
            assert!(waits_for_disk(&[missing, tmpfs, other]).is_none());
        }
        let line = waits_for_disk(&[missing, other, tmpfs]).unwrap().line();
        assert!(line.starts_with("/proc: this is on no tmpfs, so every login waits"), "{line}");
        assert!(line.ends_with("[store-waits-for-disk]"), "{line}");
        assert!(waits_for_disk(&[missing]).is_none());
    }

    #[test]
    fn a_full_disk_is_a_problem_and_says_whether_logins_work() {
        assert!(full_disk(MIN_FREE_BYTES, true).is_none());
        for (copies, expected) in [
            (false, "has 4 kB left: logins still work, but enrollment will fail; free some space"),
            (true, "has 4 kB left: logins with a code and enrollment will fail; free some space"),
        ] {
            let finding = full_disk(4096, copies).unwrap();
            assert_eq!(finding.sentence(), format!("the disk of /var/lib/totpd {expected}"));
        }
    }
}
