//! The lock that keeps two totpctl from changing stacks at the same time.

use std::fs::{self, File, TryLockError};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;

use super::state::{FOLDER, Trial};
use crate::error::Error;
use crate::host::local_time;

/// The lock. Dropping it releases it.
pub(crate) struct ExclusiveLock(#[expect(dead_code, reason = "the lock goes with it")] File);

impl ExclusiveLock {
    /// Waits for the lock.
    pub(super) fn wait() -> Result<Self, Error> {
        let file = lock_file()?;
        file.lock().map_err(|error| cannot_lock(&error))?;
        Ok(Self(file))
    }

    /// Takes the lock, if it is free.
    pub(super) fn now() -> Result<Self, Error> {
        let file = lock_file()?;
        match file.try_lock() {
            Ok(()) => Ok(Self(file)),
            Err(TryLockError::WouldBlock) => {
                Err(Error::refused("not changed: another totpctl is changing a stack; try again"))
            }
            Err(TryLockError::Error(error)) => Err(cannot_lock(&error)),
        }
    }
}

/// Reports whether no totpctl is changing a stack now.
pub(super) fn is_free() -> bool {
    let lock = File::open(Path::new(FOLDER).join(LOCK));
    lock.is_ok_and(|lock| lock.try_lock_shared().is_ok())
}

fn lock_file() -> Result<File, Error> {
    let created = fs::DirBuilder::new().recursive(true).mode(0o700).create(FOLDER);
    let opened = created.and_then(|()| {
        File::options().write(true).create(true).truncate(false).open(Path::new(FOLDER).join(LOCK))
    });
    opened.map_err(|error| cannot_lock(&error))
}

fn cannot_lock(error: &io::Error) -> Error {
    Error::refused(format!("cannot lock {FOLDER}/{LOCK}: {error}"))
}

/// Takes the lock for a change. Refuses during a trial.
pub(crate) fn lock_exclusive() -> Result<ExclusiveLock, Error> {
    let alone = ExclusiveLock::now()?;
    match Trial::pending()? {
        None => Ok(alone),
        Some(trial) => Err(Error::refused(format!(
            "not changed: {} being tried until {}; log in with a code to keep it, or revert it with totpctl try \
             --undo",
            trial.subject(),
            local_time::display_local_with_seconds(trial.ends)
        ))),
    }
}

const LOCK: &str = "lock";
