//! A file of the configuration that is not in force.

use std::path::{Path, PathBuf};

/// A file that is not in force. It stands for the file of its name.
#[derive(Clone, Debug)]
pub(crate) struct Draft {
    /// Its path, as errors name it.
    pub(crate) path: PathBuf,
    /// Its content.
    pub(crate) text: String,
}

impl Draft {
    /// Returns the path of the file in whose place the draft stands: `file`, or one of its
    /// drop-ins.
    pub(super) fn place(&self, file: &Path) -> PathBuf {
        let name = self.path.file_name().unwrap_or_default();
        if file.file_name() == Some(name) {
            return file.to_path_buf();
        }
        let mut folder = file.as_os_str().to_owned();
        folder.push(".d");
        PathBuf::from(folder).join(name)
    }
}
