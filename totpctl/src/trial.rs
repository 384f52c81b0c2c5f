//! A trial: a changed stack is in force for a limited time. It stays if a user logs in with a code.
//! Otherwise the original files are restored.

mod countdown;
pub(crate) mod denials;
mod ending;
pub(crate) mod lock;
pub(crate) mod login_watch;
pub(crate) mod state;

use std::fs;
use std::path::Path;
use std::process::id;
use std::thread;
use std::time::{Duration, Instant};

use self::lock::{ExclusiveLock, lock_exclusive};
use self::login_watch::Login;
use self::state::{Trial, Tried, boot, now};
use crate::error::Error;
use crate::host::sshd::reload::Reloaded;
use crate::pam::atomic_file::{beside, sync_folder, write_like};
use crate::pam::change::{Change, cannot_change, changed_services};
use crate::pam::lossless_text;
use crate::sshd_drop_in::change::DropIn;
use crate::sshd_drop_in::content::FILE;

/// Starts a trial. The record is on the disk before any file changes. So [`ending::end`] can revert
/// the trial after an interruption at any point. `check` refuses a plan that no longer fits.
pub(crate) fn start(
    changes: &[Change],
    drop_in: Option<&DropIn>,
    time: Duration,
    check: &dyn Fn() -> Result<(), Error>,
) -> Result<Trial, Error> {
    let _lock = lock_exclusive()?;
    check()?;
    let of_sshd = drop_in.and_then(|drop_in| Some((Path::new(FILE), drop_in.after.as_ref()?)));
    let of_pam = changes.iter().map(|change| (&*change.path, &change.after));
    let mut files = Vec::with_capacity(changes.len() + 1);
    for (path, text) in of_sshd.into_iter().chain(of_pam) {
        let existed = fs::exists(path).map_err(|error| cannot_change(path, &error))?;
        files.push(Tried { path: path.to_owned(), existed, text: text.clone() });
    }
    let started = now();
    let mut trial = Trial {
        id: format!("{started}-{}", id()),
        services: changed_services(changes),
        files,
        started,
        ends: started.saturating_add(time.as_secs()),
        boot: boot(),
        reloads_sshd: of_sshd.is_some(),
        ..Trial::default()
    };
    trial.save()?;
    let installed = stage_files(&trial)
        .and_then(|()| {
            login_watch::watch().map_err(|error| cannot_change(login_watch::file(), &error))
        })
        .and_then(|()| countdown::start(&trial, time))
        // Nobody is asked before sshd can ask.
        .and_then(|()| install_files(&trial, true))
        .and_then(|()| drop_in.map(put_in_force).transpose())
        .and_then(|reloaded| install_files(&trial, false).map(|()| reloaded));
    match installed {
        Ok(reloaded) => trial.reload = reloaded.map(|reloaded| reloaded.to_string()),
        Err(error) => {
            trial.failed = Some(error.to_string());
            // If the disk failed, the reason is lost, and the files are restored all the same.
            let _ = trial.save();
            if let Err(other) = ending::end(&mut trial) {
                return Err(Error::refused(format!("{error}; {other}")));
            }
            countdown::stop(&trial);
            return Err(match &trial.warning {
                Some(warning) => error.with_message(|text| format!("{text}; {warning}")),
                None => error,
            });
        }
    }
    Ok(trial)
}

/// Creates the new files, and second names for the present ones.
fn stage_files(trial: &Trial) -> Result<(), Error> {
    for file in &trial.files {
        let result = (|| {
            let like = file.existed.then_some(&*file.path);
            write_like(&beside(&file.path, "new"), &lossless_text::bytes(&file.text), like)?;
            if file.existed {
                fs::hard_link(&file.path, beside(&file.path, "before"))?;
            }
            sync_folder(&file.path)
        })();
        result.map_err(|error| cannot_change(&file.path, &error))?;
    }
    Ok(())
}

/// Has sshd read its new file, if that has its effect.
fn put_in_force(drop_in: &DropIn) -> Result<Reloaded, Error> {
    drop_in.check_effect()?;
    drop_in.reload.run()
}

/// Installs the file of sshd, or those of PAM.
fn install_files(trial: &Trial, of_sshd: bool) -> Result<(), Error> {
    for file in trial.files.iter().filter(|file| (file.path == Path::new(FILE)) == of_sshd) {
        let result = fs::rename(beside(&file.path, "new"), &file.path);
        result
            .and_then(|()| sync_folder(&file.path))
            .map_err(|error| cannot_change(&file.path, &error))?;
    }
    Ok(())
}

/// Reverts the current trial, or only the trial with this id. Returns it, if it was still running.
pub(crate) fn revert(id: Option<&str>) -> Result<Option<Trial>, Error> {
    let _lock = ExclusiveLock::wait()?;
    let pending = Trial::pending()?.filter(|trial| id.is_none_or(|id| id == trial.id));
    let Some(mut trial) = pending else { return Ok(None) };
    ending::end(&mut trial)?;
    countdown::stop(&trial);
    Ok(Some(trial))
}

/// Reports whether something reverts a running trial at its end. Nothing does after a reboot, nor
/// if its countdown was stopped.
pub(crate) fn will_end(trial: &Trial) -> bool {
    let still_runs =
        || Trial::pending().is_ok_and(|other| other.is_some_and(|other| other.id == trial.id));
    !(trial.is_stale_now() || (!has_countdown(trial) && still_runs()))
}

/// Reports whether the countdown of a trial runs. Who starts or ends a trial has the lock.
fn has_countdown(trial: &Trial) -> bool {
    !(lock::is_free() && countdown::is_gone(trial))
}

/// Waits in a session of its own, until the time is over or the trial with this id has ended.
pub(crate) fn count_down(time: Duration, id: Option<&str>) {
    let is_another = |trial: Option<Trial>| trial.is_none_or(|trial| Some(&*trial.id) != id);
    // A record that cannot be read may be that of the trial.
    countdown::wait(time, &|| id.is_some() && Trial::pending().is_ok_and(is_another));
}

/// What became of a trial that somebody watched.
pub(crate) enum Watched {
    /// It ended.
    Ended(Trial),
    /// It is still running, and nothing will revert it.
    Endless(Trial),
    /// Its record is gone.
    Lost,
}

/// Waits for the end of a trial, or until nothing is left that ends it. Calls `report` for each
/// login that gave no code, and `report_error` if a login cannot keep the change.
pub(crate) fn watch(
    id: &str,
    report: &dyn Fn(&Login),
    report_error: &dyn Fn(&Error),
) -> Result<Watched, Error> {
    let (mut seen, mut reported, mut has_failed) = (0, Vec::new(), false);
    let (mut look, began) = (countdown::Look::new(), Instant::now());
    while let Some(trial) = Trial::pending()?.filter(|trial| trial.id == id) {
        let length = login_watch::length();
        if length != seen {
            match commit_if_logged_in(id) {
                Ok(true) => seen = length,
                // None of the logins so far gave a code.
                Ok(false) => {
                    seen = length;
                    // One login may set its credentials twice: sshd does.
                    for login in login_watch::logins(&trial) {
                        if !reported.contains(&login) {
                            report(&login);
                            reported.push(login);
                        }
                    }
                }
                // The next round tries it again.
                Err(error) if !has_failed => {
                    has_failed = true;
                    report_error(&error);
                }
                Err(_) => {}
            }
        }
        // The clock may have been set, so the time that passed counts.
        let time = Duration::from_secs(trial.ends.saturating_sub(trial.started));
        let is_overdue = || began.elapsed() > time + GRACE && lock::is_free();
        if look.finds_no_end(&|| has_countdown(&trial) && !is_overdue()) {
            return Ok(Watched::Endless(trial));
        }
        thread::sleep(POLL_INTERVAL);
    }
    let last = Trial::last()?.filter(|trial| trial.id == id);
    Ok(last.map_or(Watched::Lost, Watched::Ended))
}

/// Keeps the change if a user has logged in with a code, and reports whether it did. An error keeps
/// nothing.
pub(crate) fn commit_if_logged_in(id: &str) -> Result<bool, Error> {
    let is_this = |trial: &Trial| trial.id == id;
    let Some(trial) = Trial::pending()?.filter(is_this) else { return Ok(false) };
    // Its end may have failed before.
    let Some(user) = trial.kept_by.clone().or_else(|| login_watch::by_a_code(&trial)) else {
        return Ok(false);
    };
    let _lock = ExclusiveLock::wait()?;
    let Some(mut trial) = Trial::pending()?.filter(is_this) else { return Ok(false) };
    trial.kept_by = Some(user);
    trial.save()?;
    ending::end(&mut trial)?;
    countdown::stop(&trial);
    Ok(true)
}

const POLL_INTERVAL: Duration = Duration::from_millis(200);
/// How long the end of a trial may take.
const GRACE: Duration = Duration::from_secs(60);
