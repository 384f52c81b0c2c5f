//! The record of a trial. It is on the disk before any file changes. So the files can be restored
//! after a crash.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::pam::atomic_file::{remove, sync_folder, write_like};

/// A trial that is running or has ended.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub(crate) struct Trial {
    /// Its id.
    pub(crate) id: String,
    /// The services whose logins the changed files decide.
    pub(crate) services: Vec<String>,
    /// Their files.
    pub(crate) files: Vec<Tried>,
    /// The time of its start, in seconds since 1970.
    pub(crate) started: u64,
    /// The time of its end, in seconds since 1970.
    pub(crate) ends: u64,
    /// The id of the boot in which it runs.
    pub(crate) boot: String,
    /// The user who logged in with a code, if the change is kept.
    pub(crate) kept_by: Option<String>,
    /// The reason why it could not start.
    #[serde(default)]
    pub(crate) failed: Option<String>,
    /// True if a file of sshd changes, which sshd reads at a reload.
    #[serde(default)]
    pub(crate) reloads_sshd: bool,
    /// What became of the reload, as a phrase: that of its start, then that of its end.
    #[serde(default)]
    pub(crate) reload: Option<String>,
    /// What its end could not take out of force, as a phrase.
    #[serde(default)]
    pub(crate) warning: Option<String>,
    /// The edits of other programs that its end replaced.
    #[serde(default)]
    pub(crate) edited: Vec<Edit>,
}

/// What another program wrote to a file during the trial.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(crate) struct Edit {
    /// The file.
    pub(crate) path: PathBuf,
    /// Where its text is now; none if it could not be saved.
    pub(crate) kept: Option<PathBuf>,
}

/// A file that is being tried.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(crate) struct Tried {
    /// The file.
    pub(crate) path: PathBuf,
    /// True if the file existed before.
    pub(crate) existed: bool,
    /// Its text during the trial, as `lossless` has it.
    pub(crate) text: String,
}

impl Trial {
    /// Reports whether the countdown is lost. It is lost if the machine has rebooted (`boot`
    /// differs). It is lost too if the trial should have ended more than 60 s before `now`, in
    /// seconds since 1970.
    fn is_stale(&self, boot: &str, now: u64) -> bool {
        self.boot != boot || now > self.ends.saturating_add(60)
    }

    /// Reports whether the countdown is lost.
    pub(crate) fn is_stale_now(&self) -> bool {
        self.is_stale(&boot(), now())
    }

    /// Returns its services and a verb, as "sshd is" or "su, su-l are".
    pub(crate) fn subject(&self) -> String {
        let verb = if self.services.len() == 1 { "is" } else { "are" };
        format!("{} {verb}", self.services.join(", "))
    }

    /// Returns the running trial.
    pub(crate) fn pending() -> Result<Option<Self>, Error> {
        Self::read(PENDING)
    }

    /// Returns the last trial that ended.
    pub(crate) fn last() -> Result<Option<Self>, Error> {
        Self::read(LAST)
    }

    fn read(name: &str) -> Result<Option<Self>, Error> {
        let path = Path::new(FOLDER).join(name);
        let unreadable = |reason: &dyn std::fmt::Display| {
            Error::refused(format!("cannot read {}: {reason}", path.display()))
        };
        match fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(unreadable(&error)),
            Ok(bytes) => {
                serde_json::from_slice(&bytes).map(Some).map_err(|error| unreadable(&error))
            }
        }
    }

    /// Writes the record and syncs it to the disk.
    pub(crate) fn save(&self) -> Result<(), Error> {
        let path = Path::new(FOLDER).join(PENDING);
        self.write(&path)
            .map_err(|error| Error::refused(format!("cannot write {}: {error}", path.display())))
    }

    fn write(&self, path: &Path) -> io::Result<()> {
        let new = path.with_extension("new");
        remove(&new)?;
        write_like(&new, &serde_json::to_vec(self)?, None)?;
        fs::rename(&new, path)?;
        sync_folder(path)
    }

    /// Marks the trial as ended.
    pub(crate) fn archive(&self) -> Result<(), Error> {
        let (from, to) = (Path::new(FOLDER).join(PENDING), Path::new(FOLDER).join(LAST));
        fs::rename(&from, to)
            .and_then(|()| sync_folder(&from))
            .map_err(|error| Error::refused(format!("cannot rename {}: {error}", from.display())))
    }
}

/// Returns the time, in seconds since 1970.
pub(super) fn now() -> u64 {
    jiff::Timestamp::now().as_second().try_into().unwrap_or_default()
}

/// Returns the id of this boot.
pub(super) fn boot() -> String {
    fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default().trim().to_owned()
}

/// The state of totpctl.
pub(crate) const FOLDER: &str = "/var/lib/totpctl";
const PENDING: &str = "pending.json";
const LAST: &str = "last.json";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trial_is_stale_after_a_reboot_or_its_end() {
        let trial = Trial { started: 1_000, ends: 1_300, boot: "this".into(), ..Trial::default() };
        assert!(!trial.is_stale("this", 1_000));
        assert!(!trial.is_stale("this", 1_360), "the countdown has 60 s to revert it");
        assert!(trial.is_stale("this", 1_361));
        assert!(trial.is_stale("another", 1_000));
    }
}
