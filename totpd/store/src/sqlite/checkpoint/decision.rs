//! Whether a checkpoint is due, and what an error of it means for the connections. Pure.

use crate::sqlite::failure::{is_damage, is_full};
use crate::sqlite::log_sizes::Limits;

/// How much is in the log, in pages.
#[derive(Clone, Copy, Debug)]
pub(in crate::sqlite) struct LogPages {
    pub(in crate::sqlite) all: i64,
    /// Those that are in the file too. If they are all, the next commit restarts the log.
    pub(in crate::sqlite) copied: i64,
}

/// What the log needs next.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::sqlite) enum Next {
    /// A checkpoint in its thread, while others commit.
    Checkpoint,
    /// A checkpoint before anybody commits.
    CheckpointAlone,
    Nothing,
    /// A commit that restarts it: all of it is copied.
    Restart,
}

/// Returns what a log of these pages needs.
pub(in crate::sqlite) fn next(pages: LogPages, limits: Limits) -> Next {
    let LogPages { all, copied } = pages;
    match all {
        _ if all < limits.checkpoint_at => Next::Nothing,
        _ if copied >= all => Next::Restart,
        _ if all < limits.stop_at => Next::Checkpoint,
        _ => Next::CheckpointAlone,
    }
}

/// What becomes of the connections.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::sqlite) enum Consequence {
    /// They are closed. A flush decides about the changes before.
    Close,
    /// They are closed, and no change that waits for a flush succeeds any more.
    Discard,
    Keep,
}

/// Returns what an error of SQLite means: of a checkpoint, of the look before it, or of the restart
/// after it. `has_run`: SQLite may have written or flushed, which other connections must learn of.
pub(in crate::sqlite) fn consequence(error: &rusqlite::Error, has_run: bool) -> Consequence {
    match error {
        error if is_full(error) => Consequence::Close,
        // The disk returned what it holds; reading it again would return the same.
        error if is_damage(error) && !has_run => Consequence::Keep,
        _ => Consequence::Discard,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checkpoint_begins_at_a_half_and_stops_others_at_three_quarters() {
        let limits = Limits { checkpoint_at: 256, stop_at: 384 };
        for (all, copied, expected) in [
            (0, 0, Next::Nothing),
            (255, 0, Next::Nothing),
            (255, 255, Next::Nothing),
            (256, 0, Next::Checkpoint),
            (256, 255, Next::Checkpoint),
            (256, 256, Next::Restart),
            (383, 382, Next::Checkpoint),
            (384, 0, Next::CheckpointAlone),
            (384, 383, Next::CheckpointAlone),
            (384, 384, Next::Restart),
            (9999, 0, Next::CheckpointAlone),
        ] {
            assert_eq!(next(LogPages { all, copied }, limits), expected, "{copied} of {all}");
        }
    }

    #[test]
    fn a_full_disk_says_nothing_about_the_changes_before() {
        use rusqlite::ffi;

        for (code, has_run, expected) in [
            (ffi::SQLITE_FULL, false, Consequence::Close),
            (ffi::SQLITE_FULL, true, Consequence::Close),
            (ffi::SQLITE_CORRUPT, false, Consequence::Keep),
            (ffi::SQLITE_CORRUPT, true, Consequence::Discard),
            (ffi::SQLITE_IOERR_FSYNC, false, Consequence::Discard),
            (ffi::SQLITE_IOERR_FSYNC, true, Consequence::Discard),
            (ffi::SQLITE_NOTADB, false, Consequence::Discard),
        ] {
            let error = rusqlite::Error::SqliteFailure(ffi::Error::new(code), None);
            assert_eq!(consequence(&error, has_run), expected, "{code} {has_run}");
        }
    }
}
