//! Who can change a file.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt as _;

/// Reports whether only root, and members of the group of root, can change a file.
pub(crate) fn only_root_can_change(metadata: &Metadata) -> bool {
    metadata.uid() == 0
        && (metadata.mode() & 0o002 == 0)
        && (metadata.mode() & 0o020 == 0 || metadata.gid() == 0)
}
