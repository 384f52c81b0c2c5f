//! Disks that copy what is overwritten, and need free space for it.

use std::fs::File;
use std::io;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use rustix::fs::{IFlags, fstatfs, ioctl_getflags, statfs};

use crate::program;

/// Reports whether a folder is on Btrfs.
pub(crate) fn is_btrfs(folder: &Path) -> bool {
    statfs(folder).is_ok_and(|disk| disk.f_type as u32 == BTRFS)
}

/// How a disk copies what is overwritten.
#[derive(Debug, Eq, PartialEq)]
pub(crate) enum Copying {
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
pub(crate) fn copying_of(file: &Path) -> Option<Copying> {
    let opened = File::open(file).ok()?;
    match fstatfs(&opened).ok()?.f_type as u32 {
        BTRFS => {
            let flags = ioctl_getflags(&opened).unwrap_or(IFlags::empty());
            if !flags.contains(IFlags::NOCOW) {
                return Some(Copying::Curable);
            }
            let filefrag = program::find("filefrag").ok()?;
            copying_by_extents(extents(filefrag, file, program::ANSWER_TIMEOUT))
        }
        magic => {
            let (_, name) = ALWAYS_COPY.iter().find(|(known, _)| *known == magic)?;
            Some(Copying::Always(name))
        }
    }
}

/// Returns what a table of extents says about snapshots. A table that did not come in time is said.
fn copying_by_extents(extents: io::Result<String>) -> Option<Copying> {
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

/// The magic number of a file system, in `statfs`.
const BTRFS: u32 = 0x9123_683e;

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
        let Some(Copying::Unknown(reason)) = copying_by_extents(silence) else {
            panic!("it is no silence")
        };
        assert!(reason.starts_with("filefrag: it does not answer"), "{reason}");
        assert_eq!(copying_by_extents(Err(io::ErrorKind::NotFound.into())), None);
        let table = Ok("0: 0..  1:  1..  2:  2:  last,shared,eof\n".to_owned());
        assert_eq!(copying_by_extents(table), Some(Copying::InSnapshot));
    }

    #[test]
    fn a_file_on_a_disk_that_overwrites_is_no_finding() {
        assert_eq!(copying_of(Path::new("/proc/self/status")), None);
        assert_eq!(copying_of(Path::new("/no/such/file")), None);
    }
}
