//! How long the log may become.

/// Pages of 4 KiB in a log.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// From here on the log is copied into the file while others commit.
    pub(super) copy_at: i64,
    /// From here on nobody commits before the log is copied.
    pub(super) stop_at: i64,
}

impl Limits {
    /// Those of a log that has its reserve of 512 pages. What is left above them is for the changes
    /// of one transaction.
    pub(super) const OF_RESERVE: Self = Self { copy_at: 256, stop_at: 384 };
}
