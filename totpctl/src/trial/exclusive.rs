//! Who changes a stack is alone with it: no other totpctl changes one at the same time.

use std::fs::{self, File, TryLockError};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;

use super::state::{FOLDER, Trial};
use crate::error::Error;
use crate::terminal::output;

/// Nobody else changes anything, until this is dropped.
pub(crate) struct ExclusiveLock(#[expect(dead_code, reason = "the lock goes with it")] File);

impl ExclusiveLock {
    /// Waits for its turn.
    pub(super) fn wait() -> Result<Self, Error> {
        let file = lock_file()?;
        file.lock().map_err(|error| cannot_lock(&error))?;
        Ok(Self(file))
    }

    /// Its turn now, or never.
    pub(super) fn now() -> Result<Self, Error> {
        let file = lock_file()?;
        match file.try_lock() {
            Ok(()) => Ok(Self(file)),
            Err(TryLockError::WouldBlock) => {
                Err(Error::refused("another totpctl changes a stack right now; try again"))
            }
            Err(TryLockError::Error(error)) => Err(cannot_lock(&error)),
        }
    }
}

fn lock_file() -> Result<File, Error> {
    let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(FOLDER);
    let opened = made.and_then(|()| {
        File::options().write(true).create(true).truncate(false).open(Path::new(FOLDER).join(LOCK))
    });
    opened.map_err(|error| match error.kind() {
        io::ErrorKind::PermissionDenied => {
            Error::NotAuthorized("only root may change what PAM asks for".into())
        }
        _ => cannot_lock(&error),
    })
}

fn cannot_lock(error: &io::Error) -> Error {
    Error::refused(format!("{FOLDER}/{LOCK} cannot be locked: {error}"))
}

/// Nobody else changes a stack meanwhile, and nothing is being tried.
pub(crate) fn lock_exclusive() -> Result<ExclusiveLock, Error> {
    let alone = ExclusiveLock::now()?;
    match Trial::pending()? {
        None => Ok(alone),
        Some(trial) => Err(Error::refused(format!(
            "{} is being tried until {}: log in by it, or put it back with totpctl try --undo",
            trial.services.join(", "),
            output::time(trial.ends)
        ))),
    }
}

const LOCK: &str = "lock";
