//! What is being tried, on the disk before anything is changed: whoever comes after a crash knows from it
//! what to put back.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::pam::atomic_file::{remove, sync_folder, write_like};

/// A change that is being tried, or was.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(crate) struct Trial {
    /// Tells it from others.
    pub(crate) id: String,
    /// The services whose files are changed.
    pub(crate) services: Vec<String>,
    /// Their files.
    pub(crate) files: Vec<Tried>,
    /// When it began, and when it ends, in seconds since 1970.
    pub(crate) started: u64,
    /// See `started`.
    pub(crate) ends: u64,
    /// The boot of the machine that it belongs to.
    pub(crate) boot: String,
    /// Who logged in, so that it is kept.
    pub(crate) kept_by: Option<String>,
    /// Why it could not be tried at all.
    #[serde(default)]
    pub(crate) failed: Option<String>,
}

/// A file that is being tried.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(crate) struct Tried {
    /// The file.
    pub(crate) path: PathBuf,
    /// Whether it was there before.
    pub(crate) existed: bool,
    /// Its text while it is tried.
    pub(crate) text: String,
}

impl Trial {
    /// Whether nobody counts down any more: the machine was started since (`boot` is another), or it is over by a
    /// minute at `now`, in seconds since 1970.
    fn is_stale(&self, boot: &str, now: u64) -> bool {
        self.boot != boot || now > self.ends.saturating_add(60)
    }

    /// Whether nobody counts down any more.
    pub(crate) fn is_stale_now(&self) -> bool {
        self.is_stale(&boot(), now())
    }

    /// What is being tried now.
    pub(crate) fn pending() -> Result<Option<Self>, Error> {
        Self::read(PENDING)
    }

    /// What was tried last.
    pub(crate) fn last() -> Result<Option<Self>, Error> {
        Self::read(LAST)
    }

    fn read(name: &str) -> Result<Option<Self>, Error> {
        let path = Path::new(FOLDER).join(name);
        let unreadable = |why: &dyn std::fmt::Display| {
            Error::refused(format!("{} cannot be read: {why}", path.display()))
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
    pub(crate) fn save(&self) -> Result<(), Error> {
        let path = Path::new(FOLDER).join(PENDING);
        self.write(&path).map_err(|error| {
            Error::refused(format!("{} cannot be written: {error}", path.display()))
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
    pub(crate) fn archive(&self) -> Result<(), Error> {
        let (from, to) = (Path::new(FOLDER).join(PENDING), Path::new(FOLDER).join(LAST));
        fs::rename(&from, to).and_then(|()| sync_folder(&from)).map_err(|error| {
            Error::refused(format!("{} cannot be renamed: {error}", from.display()))
        })
    }
}

/// The time, in seconds since 1970.
pub(super) fn now() -> u64 {
    jiff::Timestamp::now().as_second().try_into().unwrap_or_default()
}

/// Tells this boot of the machine from others.
pub(super) fn boot() -> String {
    fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default().trim().to_owned()
}

/// What totpctl remembers.
pub(crate) const FOLDER: &str = "/var/lib/totpctl";
const PENDING: &str = "pending.json";
const LAST: &str = "last.json";

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
