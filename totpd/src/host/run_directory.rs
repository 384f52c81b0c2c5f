//! The directory of the private socket and of the witness.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// Makes the directory, if systemd has not. Everybody may enter it: the files in it are root's.
///
/// # Errors
/// The errors of the file system.
pub(crate) fn create(directory: &Path) -> io::Result<()> {
    match fs::create_dir(directory) {
        // The mask of the process that started the daemon does not matter.
        Ok(()) => fs::set_permissions(directory, Permissions::from_mode(0o755)),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_may_enter_a_new_directory_and_an_old_one_stays_as_it_is() {
        let parent = tempfile::tempdir().unwrap();
        let directory = parent.path().join("totpd");
        let mode = || fs::metadata(&directory).unwrap().permissions().mode() & 0o7777;
        create(&directory).unwrap();
        assert_eq!(mode(), 0o755);
        fs::set_permissions(&directory, Permissions::from_mode(0o711)).unwrap();
        create(&directory).unwrap();
        assert_eq!(mode(), 0o711);
        assert!(create(&directory.join("missing/one")).is_err());
    }
}
