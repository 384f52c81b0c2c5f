//! The folder of the store: who can enter it, and whether users can log in when its disk is full.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use rustix::fs::{IFlags, StatVfsMountFlags, fstatfs, ioctl_getflags, statfs, statvfs};

use super::finding::{Finding, FindingId};
use super::report::Report;
use crate::program;

/// Checks the folder of the store and its disk, for root.
pub(super) fn check(report: &mut Report) {
    let folder = Path::new(FOLDER);
    let Ok(metadata) = fs::metadata(folder) else { return };
    let is_btrfs = || statfs(folder).is_ok_and(|disk| disk.f_type as u32 == BTRFS);
    if metadata.ino() == LEFT_OUT_SUBVOLUME && is_btrfs() {
        let finding = Finding::new(
            FindingId::StoreLeftOut,
            "the system was rolled back to a snapshot of Btrfs, which has an empty folder in the place of the \
             store, so nobody can log in with a code",
        );
        report.problems.push(finding.in_file(FOLDER).fix(
            "move the subvolume of the store there, or remove the folder and restore a backup \
             (docs/admin/store.md, \"Btrfs\")",
        ));
        return;
    }
    if metadata.uid() != 0 || metadata.mode() & 0o077 != 0 {
        report.problem(
            FindingId::StorePermissions,
            "users other than root can enter /var/lib/totpd; run chown root:root and chmod 700 on it",
        );
    }
    let copying = copies(&folder.join("store.db"));
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
    match copying {
        Some(Copying::Curable) => report.problems.push(
            Finding::new(
                FindingId::StoreCopyOnWrite,
                "Btrfs copies what it overwrites in this file, so nobody can log in with a code when the \
                 disk is full",
            )
            .in_file(format!("{FOLDER}/store.db"))
            .fix(MOVE_TO_SUBVOLUME),
        ),
        Some(Copying::InSnapshot) => report.notes.push(
            Finding::new(
                FindingId::StoreInSnapshot,
                "a snapshot shares the blocks of this file, so the next logins need free space on the disk",
            )
            .in_file(format!("{FOLDER}/store.db"))
            .fix(MOVE_TO_SUBVOLUME),
        ),
        Some(Copying::Unknown(reason)) => report.notes.push(
            Finding::new(
                FindingId::StoreInSnapshot,
                format!("cannot tell whether a snapshot shares the blocks of this file: {reason}"),
            )
            .in_file(format!("{FOLDER}/store.db"))
            .fix("run filefrag -v on it, and look for shared"),
        ),
        Some(Copying::Always(file_system)) => report.notes.push(
            Finding::new(
                FindingId::StoreCopyAlways,
                format!(
                    "{file_system} copies what it overwrites, so nobody can log in with a code when its disk \
                     is full, and no setting prevents that"
                ),
            )
            .in_file(FOLDER)
            .fix("watch the free space, or mount a file system that overwrites in place, such as ext4"),
        ),
        None => {}
    }
}

/// How a disk copies what is overwritten.
#[derive(Debug, Eq, PartialEq)]
enum Copying {
    /// The file is not marked, and could be.
    Curable,
    /// The file is marked, and a snapshot shares its blocks.
    InSnapshot,
    /// The file is marked, and it is not known whether a snapshot shares its blocks.
    Unknown(String),
    /// The file system of this name always copies.
    Always(&'static str),
}

/// Returns how the disk of this file copies. Returns nothing if it overwrites in place, or if
/// there is no such file.
fn copies(file: &Path) -> Option<Copying> {
    let opened = File::open(file).ok()?;
    match fstatfs(&opened).ok()?.f_type as u32 {
        BTRFS => {
            let flags = ioctl_getflags(&opened).unwrap_or(IFlags::empty());
            if !flags.contains(IFlags::NOCOW) {
                return Some(Copying::Curable);
            }
            let filefrag = program::find("filefrag").ok()?;
            shared(extents(filefrag, file, program::ANSWER_TIMEOUT))
        }
        magic => {
            let (_, name) = ALWAYS_COPY.iter().find(|(known, _)| *known == magic)?;
            Some(Copying::Always(name))
        }
    }
}

/// Returns what a table of extents says about snapshots. A table that did not come in time is said.
fn shared(extents: io::Result<String>) -> Option<Copying> {
    match extents {
        Ok(extents) => is_shared(&extents).then_some(Copying::InSnapshot),
        Err(error) if error.kind() == io::ErrorKind::TimedOut => {
            Some(Copying::Unknown(format!("filefrag: {error}")))
        }
        Err(_) => None,
    }
}

/// Returns the table of the extents of a file.
fn extents(mut filefrag: Command, file: &Path, limit: Duration) -> io::Result<String> {
    filefrag.arg("-v").arg(file).stdin(Stdio::null());
    let result = program::output_within(filefrag, limit)?;
    Ok(String::from_utf8_lossy(&result.stdout).into_owned())
}

/// Reports whether a table of filefrag has an extent that another file or a snapshot shares.
fn is_shared(extents: &str) -> bool {
    let flags = extents.lines().filter_map(|line| line.rsplit(':').next());
    flags.flat_map(|flags| flags.split(',')).any(|flag| flag.trim() == "shared")
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
/// Room for many more users.
const MIN_FREE_BYTES: u64 = 8 * 1024 * 1024;
const MOVE_TO_SUBVOLUME: &str =
    "move the store into a subvolume of its own (docs/admin/store.md, \"Btrfs\")";
/// The magic number of a file system, in `statfs`.
const BTRFS: u32 = 0x9123_683e;
/// The inode of the folder that a snapshot has in the place of a subvolume.
const LEFT_OUT_SUBVOLUME: u64 = 2;
/// The file systems that always copy.
const ALWAYS_COPY: [(u32, &str); 4] = [
    (0x2fc1_2fc1, "ZFS"),
    (0xca45_1a4e, "bcachefs"),
    (0xf2f5_2010, "F2FS"),
    (0x3434_3434, "NILFS2"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shared_extent_is_found() {
        let alone = "File size of store.db is 2113536 (516 blocks of 4096 bytes)\n \
                     ext:     logical_offset:        physical_offset: length:   expected: flags:\n   \
                     0:        0..     515:      16130..     16645:    516:             last,eof\n\
                     store.db: 1 extent found\n";
        assert!(!is_shared(alone) && !is_shared(""));
        assert!(is_shared(&alone.replace("last,eof", "last,shared,eof")));
        assert!(!is_shared("/shared: 1 extent found\n"), "a name is no flag");
    }

    #[test]
    fn a_table_that_does_not_come_is_said() {
        // It follows the file until it is killed.
        let mut tail = program::find("tail").unwrap();
        tail.arg("-f");
        let silence = extents(tail, Path::new("/dev/null"), Duration::from_millis(10));
        let Some(Copying::Unknown(reason)) = shared(silence) else { panic!("it is no silence") };
        assert!(reason.starts_with("filefrag: it does not answer"), "{reason}");
        assert_eq!(shared(Err(io::ErrorKind::NotFound.into())), None);
        let table = Ok("0: 0..  1:  1..  2:  2:  last,shared,eof\n".to_owned());
        assert_eq!(shared(table), Some(Copying::InSnapshot));
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

    #[test]
    fn a_file_on_a_disk_that_overwrites_is_no_finding() {
        assert_eq!(copies(Path::new("/proc/self/status")), None);
        assert_eq!(copies(Path::new("/no/such/file")), None);
    }
}
