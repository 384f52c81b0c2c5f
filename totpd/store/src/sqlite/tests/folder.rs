//! A temporary directory with a store in it.

use std::path::PathBuf;

use rusqlite::Connection;
use totpd_core::fixtures::{enrolled, user};

use crate::conformance::run;
use crate::owner::tests::this_user;
use crate::sqlite::{Local, OpenError, OpenStore};
use crate::store::Store;

pub(super) struct Folder(tempfile::TempDir);

impl Folder {
    pub(super) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(super) fn path(&self) -> PathBuf {
        self.0.path().join("totpd")
    }

    pub(super) fn open(&self) -> Store {
        self.opened().store
    }

    pub(super) fn opened(&self) -> OpenStore {
        self.try_open().unwrap()
    }

    pub(super) fn try_open(&self) -> Result<OpenStore, OpenError> {
        Local::open(&self.path(), None, None, this_user())
    }

    /// Returns the reason why the store does not open.
    pub(super) fn refusal(&self) -> String {
        self.try_open().err().expect("it opened").to_string()
    }

    /// Returns a store with one user in it, closed.
    pub(super) fn with_a_user() -> Self {
        let folder = Self::new();
        run(folder.open().update(user("alice"), |_, _| ((), Some(enrolled(1000))))).unwrap();
        folder
    }

    /// Returns the file as another program of root sees it, all of it in one piece.
    pub(super) fn file(&self) -> Connection {
        let file = Connection::open(self.path().join("store.db")).unwrap();
        file.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
        file
    }
}
