//! The files that say who the users of this machine are.

use std::fs;
use std::os::unix::fs::MetadataExt;

/// The state of these files. It differs after each change of them.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct UserFiles([Option<FileState>; 2]);

#[derive(Clone, Debug, Eq, PartialEq)]
struct FileState {
    file: (u64, u64),
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl UserFiles {
    /// Returns the present state.
    pub(crate) fn now() -> Self {
        Self(["/etc/passwd", "/etc/nsswitch.conf"].map(|path| {
            let file = fs::metadata(path).ok()?;
            Some(FileState {
                file: (file.dev(), file.ino()),
                size: file.size(),
                modified: (file.mtime(), file.mtime_nsec()),
                changed: (file.ctime(), file.ctime_nsec()),
            })
        }))
    }

    /// Returns a state that no machine has.
    #[cfg(test)]
    pub(crate) fn example() -> Self {
        let no_time = (0, 0);
        let file = FileState { file: (0, 0), size: 0, modified: no_time, changed: no_time };
        Self([Some(file), None])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_state_stays_until_a_change() {
        assert_eq!(UserFiles::now(), UserFiles::now());
        assert!(UserFiles::now() != UserFiles::example() && UserFiles::now().0[0].is_some());
    }
}
