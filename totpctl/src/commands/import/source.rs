//! A file that was read.

use std::path::PathBuf;

use totpd_formats::reading::Entry;

/// A file, and its entries.
pub(super) struct Source {
    /// The name of the file.
    pub(super) file: PathBuf,
    /// The uid of its owner. The file of a user has factors of that user alone.
    pub(super) owner: u32,
    /// True if its owner says whose it is.
    pub(super) is_of_one_user: bool,
    /// The entries.
    pub(super) entries: Vec<Entry>,
}
