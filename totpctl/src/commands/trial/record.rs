//! What is being tried, on the disk before anything is changed: whoever comes after a crash knows from it
//! what to put back.

use std::fs::{self, File, TryLockError};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::failure::Failure;
use crate::pam_change::{remove, sync_folder, write_like};

/// A change that is being tried, or was.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(super) struct Trial {
    /// Tells it from others.
    pub(super) id: String,
    /// The services whose files are changed.
    pub(super) services: Vec<String>,
    /// Their files.
    pub(super) files: Vec<Tried>,
    /// When it began, and when it ends, in seconds since 1970.
    pub(super) started: u64,
    /// See `started`.
    pub(super) ends: u64,
    /// The boot of the machine that it belongs to.
    pub(super) boot: String,
    /// Who logged in, so that it is kept.
    pub(super) kept_by: Option<String>,
    /// Why it could not be tried at all.
    #[serde(default)]
    pub(super) failed: Option<String>,
}

/// A file that is being tried.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(super) struct Tried {
    /// The file.
    pub(super) path: PathBuf,
    /// Whether it was there before.
    pub(super) existed: bool,
    /// Its text while it is tried.
    pub(super) text: String,
}

impl Trial {
    /// Whether nobody counts down any more: the machine was started since (`boot` is another), or it is over by a
    /// minute at `now`, in seconds since 1970.
    pub(super) fn is_stale(&self, boot: &str, now: u64) -> bool {
        self.boot != boot || now > self.ends.saturating_add(60)
    }

    /// What is being tried now.
    pub(super) fn pending() -> Result<Option<Self>, Failure> {
        Self::read(PENDING)
    }

    /// What was tried last.
    pub(super) fn last() -> Result<Option<Self>, Failure> {
        Self::read(LAST)
    }

    fn read(name: &str) -> Result<Option<Self>, Failure> {
        let path = Path::new(FOLDER).join(name);
        let unreadable = |why: &dyn std::fmt::Display| {
            Failure::refused(format!("{} cannot be read: {why}", path.display()))
        };
        match fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(unreadable(&error)),
            Ok(bytes) => {
                serde_json::from_slice(&bytes).map(Some).map_err(|error| unreadable(&error))
            }
        }
    }

    /// Writes it down, to the disk.
    pub(super) fn save(&self) -> Result<(), Failure> {
        let path = Path::new(FOLDER).join(PENDING);
        self.write(&path).map_err(|error| {
            Failure::refused(format!("{} cannot be written: {error}", path.display()))
        })
    }

    fn write(&self, path: &Path) -> io::Result<()> {
        let new = path.with_extension("new");
        remove(&new)?;
        write_like(&new, &serde_json::to_string(self)?, None)?;
        fs::rename(&new, path)?;
        sync_folder(path)
    }

    /// Notes that it is over.
    pub(super) fn is_over(&self) -> Result<(), Failure> {
        let (from, to) = (Path::new(FOLDER).join(PENDING), Path::new(FOLDER).join(LAST));
        fs::rename(&from, to).and_then(|()| sync_folder(&from)).map_err(|error| {
            Failure::refused(format!("{} cannot be renamed: {error}", from.display()))
        })
    }
}

/// Nobody else changes anything, until this is dropped.
pub(crate) struct Alone(#[expect(dead_code, reason = "the lock goes with it")] File);

impl Alone {
    /// Waits for its turn.
    pub(super) fn wait() -> Result<Self, Failure> {
        let file = lock_file()?;
        file.lock().map_err(|error| cannot_lock(&error))?;
        Ok(Self(file))
    }

    /// Its turn now, or never.
    pub(super) fn now() -> Result<Self, Failure> {
        let file = lock_file()?;
        match file.try_lock() {
            Ok(()) => Ok(Self(file)),
            Err(TryLockError::WouldBlock) => {
                Err(Failure::refused("another totpctl changes a stack right now; try again"))
            }
            Err(TryLockError::Error(error)) => Err(cannot_lock(&error)),
        }
    }
}

fn lock_file() -> Result<File, Failure> {
    let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(FOLDER);
    let opened = made.and_then(|()| {
        File::options().write(true).create(true).truncate(false).open(Path::new(FOLDER).join(LOCK))
    });
    opened.map_err(|error| match error.kind() {
        io::ErrorKind::PermissionDenied => {
            Failure::NotAuthorized("only root may change what PAM asks for".into())
        }
        _ => cannot_lock(&error),
    })
}

fn cannot_lock(error: &io::Error) -> Failure {
    Failure::refused(format!("{FOLDER}/{LOCK} cannot be locked: {error}"))
}

/// What totpctl remembers.
pub(super) const FOLDER: &str = "/var/lib/totpctl";
const PENDING: &str = "pending.json";
const LAST: &str = "last.json";
const LOCK: &str = "lock";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trial_is_stale_after_a_reboot_and_after_its_time() {
        let trial = Trial {
            id: "1".into(),
            services: Vec::new(),
            files: Vec::new(),
            started: 1_000,
            ends: 1_300,
            boot: "this".into(),
            kept_by: None,
            failed: None,
        };
        assert!(!trial.is_stale("this", 1_000));
        assert!(!trial.is_stale("this", 1_360), "whoever puts it back has a moment for that");
        assert!(trial.is_stale("this", 1_361));
        assert!(trial.is_stale("another", 1_000));
    }
}
