//! A host with users, a disk that can be in trouble, and a tmpfs for the witness.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use totpd_core::enrollment::Confirmation;
use totpd_core::mark::Witness;

use crate::sqlite::tests::host::Host;

/// A disk whose flushes stall, until this is dropped. A test that fails drops it before the store,
/// which would wait for it.
pub(super) struct Stall(PathBuf);

impl Drop for Stall {
    fn drop(&mut self) {
        fs::remove_file(&self.0).unwrap();
    }
}

/// A host whose users are enrolled, with a tmpfs for its witness.
pub(super) struct Place {
    pub(super) folder: tempfile::TempDir,
    pub(super) users: usize,
}

impl Place {
    pub(super) fn new(users: usize) -> Self {
        let place = Self { folder: tempfile::tempdir_in("/dev/shm").unwrap(), users };
        let host = place.open();
        for name in place.names() {
            host.enroll(&name).unwrap();
            assert_eq!(host.confirm(&name).unwrap(), Confirmation::Verified);
        }
        place
    }

    pub(super) fn names(&self) -> impl Iterator<Item = String> {
        (0..self.users).map(|number| format!("user{number}"))
    }

    pub(super) fn store(&self) -> PathBuf {
        self.folder.path().join("totpd")
    }

    pub(super) fn witness(&self) -> PathBuf {
        self.folder.path().join("witness")
    }

    /// Opens the store a time step after the first codes.
    pub(super) fn open(&self) -> Host {
        let has_users = self.store().exists();
        let host = Host::open_with(&self.store(), Some(&self.witness())).unwrap();
        if has_users {
            host.wait(1);
        }
        host
    }

    pub(super) fn says(&self) -> Option<Witness> {
        Witness::decode(&fs::read(self.witness().join("last")).unwrap())
    }

    pub(super) fn stall(&self) -> Stall {
        let file = self.store().join("test-stalled-flush");
        fs::write(&file, "").unwrap();
        Stall(file)
    }

    pub(super) fn begin_trouble(&self, name: &str) {
        fs::write(self.store().join(name), "").unwrap();
    }

    pub(super) fn end_trouble(&self, name: &str) {
        self.try_end_trouble(name).unwrap();
    }

    /// Ends a trouble that may have ended by itself.
    pub(super) fn try_end_trouble(&self, name: &str) -> io::Result<()> {
        fs::remove_file(self.store().join(name))
    }

    pub(super) fn flushes(&self) -> usize {
        fs::read(self.store().join("test-flushes")).map_or(0, |count| count.len())
    }

    /// Copies what is in the store, or in the tmpfs, as a crash at this moment leaves it.
    pub(super) fn copy(from: &Path) -> tempfile::TempDir {
        let to = tempfile::tempdir_in("/dev/shm").unwrap();
        for file in fs::read_dir(from).unwrap() {
            let file = file.unwrap();
            fs::copy(file.path(), to.path().join(file.file_name())).unwrap();
        }
        to
    }
}
