//! The sizes of the log, and how they fit together:
//!
//! ```text
//!   4 KiB        PAGE_BYTES             a page; in the log it has 24 bytes more
//!   2 pages      PAGES_PER_ROW          of a change
//!   8 changes    CHANGES_PER_LOG_CHECK  of callers who write themselves, between two looks
//! 128 changes    MAX_BATCH_CHANGES      of a transaction
//! 256 pages      checkpoint_at          a half: a checkpoint begins, and others commit
//! 256 pages      LEANING_PAGES          a half: not flushed, while logins lean
//! 384 pages      stop_at                three quarters: nobody commits during a checkpoint
//! 512 pages      RESERVE_PAGES          2 MiB: the log has them on a full disk too
//! ```
//!
//! The quarter above `stop_at` has room for 64 changes by that estimate, and for more if records
//! share pages. So a full transaction may not fit. The log then outgrows its reserve, and SQLite
//! cuts it when it restarts. A full disk refuses that transaction, and the log restarts at once.

/// Bytes of a page of the file.
pub(super) const PAGE_BYTES: u64 = 4096;

/// The pages that a change of one row usually writes: its own, and one above it.
pub(super) const PAGES_PER_ROW: u64 = 2;

/// After so many changes that callers made themselves, the thread that writes looks at the log.
pub(super) const CHANGES_PER_LOG_CHECK: u32 = 8;

/// Changes that share a transaction.
pub(super) const MAX_BATCH_CHANGES: usize = 128;

/// Pages of the log that are reserved.
const RESERVE_PAGES: u64 = 512;

/// Bytes of the log that are reserved, and of the file beside it. Less in tests of this crate,
/// which fail every single write.
pub(super) const RESERVE_BYTES: u64 =
    if cfg!(test) { 64 << 10 } else { RESERVE_PAGES * PAGE_BYTES };

/// Pages of the log that may wait for a flush while somebody leans: half of its reserve.
pub(super) const LEANING_PAGES: u64 = RESERVE_BYTES / 2 / PAGE_BYTES;

/// The lengths of the log, in pages, at which a checkpoint begins. Only the thread that writes
/// looks: after each of its transactions, and when callers who write themselves ask for it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// From here on a checkpoint runs while others commit.
    pub(super) checkpoint_at: i64,
    /// From here on the thread that writes runs the checkpoint itself, and keeps the database
    /// locked. The log is longer than this by the transaction after which it looks, and by changes
    /// of callers who write themselves and do not look.
    pub(super) stop_at: i64,
}

impl Limits {
    /// Those of a log that has its reserve.
    pub(super) const OF_RESERVE: Self =
        Self { checkpoint_at: RESERVE_PAGES as i64 / 2, stop_at: RESERVE_PAGES as i64 / 4 * 3 };
}
