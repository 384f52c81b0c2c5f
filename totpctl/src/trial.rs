//! A trial: a changed stack is in force for some minutes, and stays if somebody logs in by it. Otherwise all
//! files are as they were before.

mod countdown;
pub(crate) mod exclusive;
mod finish;
mod login_watch;
pub(crate) mod state;

use std::fs;
use std::process::id;
use std::thread;
use std::time::Duration;

use self::exclusive::{ExclusiveLock, lock_exclusive};
use self::state::{Trial, Tried, boot, now};
use crate::error::Error;
use crate::pam::atomic_file::{beside, sync_folder, write_like};
use crate::pam::change::{Change, cannot_change};

/// From what is written down to what holds: whenever this is cut short, [`finish::end`] finds its way back.
pub(crate) fn start(changes: &[Change], time: Duration) -> Result<Trial, Error> {
    let _lock = lock_exclusive()?;
    changes.iter().try_for_each(Change::still_fits)?;
    let mut files = Vec::with_capacity(changes.len());
    for change in changes {
        let existed =
            fs::exists(&change.path).map_err(|error| cannot_change(&change.path, &error))?;
        files.push(Tried { path: change.path.clone(), existed, text: change.after.clone() });
    }
    let started = now();
    let mut trial = Trial {
        id: format!("{started}-{}", id()),
        services: changes.iter().map(|change| change.service.clone()).collect(),
        files,
        started,
        ends: started.saturating_add(time.as_secs()),
        boot: boot(),
        kept_by: None,
        failed: None,
    };
    trial.save()?;
    let held = stage_files(&trial)
        .and_then(|()| {
            login_watch::watch().map_err(|error| cannot_change(login_watch::file(), &error))
        })
        .and_then(|()| countdown::start(&trial, time))
        .and_then(|()| install_files(&trial));
    if let Err(failure) = held {
        trial.failed = Some(failure.to_string());
        // The disk may be what failed: then the reason is not kept, and all is put back nevertheless.
        let _ = trial.save();
        finish::end(&trial)?;
        countdown::stop(&trial);
        return Err(failure);
    }
    Ok(trial)
}

/// Makes the files that will hold, and holds on to those that do.
fn stage_files(trial: &Trial) -> Result<(), Error> {
    for file in &trial.files {
        let made = (|| {
            let like = file.existed.then_some(&*file.path);
            write_like(&beside(&file.path, "new"), &file.text, like)?;
            if file.existed {
                fs::hard_link(&file.path, beside(&file.path, "before"))?;
            }
            sync_folder(&file.path)
        })();
        made.map_err(|error| cannot_change(&file.path, &error))?;
    }
    Ok(())
}

fn install_files(trial: &Trial) -> Result<(), Error> {
    for file in &trial.files {
        let held = fs::rename(beside(&file.path, "new"), &file.path);
        held.and_then(|()| sync_folder(&file.path))
            .map_err(|error| cannot_change(&file.path, &error))?;
    }
    Ok(())
}

/// Puts back what is being tried, or what `of` names; nothing if it is over.
pub(crate) fn undo(of: Option<&str>) -> Result<Option<Trial>, Error> {
    let _lock = ExclusiveLock::wait()?;
    let Some(trial) = Trial::pending()?.filter(|trial| of.is_none_or(|of| of == trial.id)) else {
        return Ok(None);
    };
    finish::end(&trial)?;
    countdown::stop(&trial);
    Ok(Some(trial))
}

/// Waits in a session of its own.
pub(crate) fn count_down(time: Duration) {
    countdown::wait(time);
}

/// Waits until it is over, and answers how it ended; nothing if that is not known.
pub(crate) fn watch(id: &str) -> Result<Option<Trial>, Error> {
    let mut seen = 0;
    while Trial::pending()?.is_some_and(|trial| trial.id == id) {
        let noted = login_watch::length();
        if noted != seen {
            seen = noted;
            commit_if_logged_in(id);
        }
        thread::sleep(POLL_INTERVAL);
    }
    Ok(Trial::last()?.filter(|trial| trial.id == id))
}

/// Keeps what is being tried, if somebody has logged in by it. Whatever cannot be found out keeps nothing.
pub(crate) fn commit_if_logged_in(id: &str) -> bool {
    let keep = || -> Result<bool, Error> {
        let is_it = |trial: &Trial| trial.id == id && trial.kept_by.is_none();
        let Some(trial) = Trial::pending()?.filter(is_it) else { return Ok(false) };
        let Some(user) = login_watch::by_a_code(&trial) else { return Ok(false) };
        let _lock = ExclusiveLock::wait()?;
        let Some(mut trial) = Trial::pending()?.filter(is_it) else { return Ok(false) };
        trial.kept_by = Some(user);
        trial.save()?;
        finish::end(&trial)?;
        countdown::stop(&trial);
        Ok(true)
    };
    keep().unwrap_or(false)
}

const POLL_INTERVAL: Duration = Duration::from_millis(200);
