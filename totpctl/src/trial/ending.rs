//! Ends a trial: restores all files, or keeps the change. After an interruption, the next call
//! starts over.

use std::fs;
use std::io;
use std::path::Path;

use super::login_watch;
use super::state::{FOLDER, Trial, Tried};
use crate::error::Error;
use crate::host::sshd::reload::Reload;
use crate::pam::atomic_file::{beside, is_one_file, metadata, remove, sync_folder};
use crate::pam::change::cannot_change;
use crate::pam::lossless_text;

/// Ends a trial: keeps the change if a user logged in, and restores the files otherwise.
pub(super) fn end(trial: &mut Trial) -> Result<(), Error> {
    // One file that cannot be restored leaves no other one on trial. sshd can ask as long as its
    // stack does, so that its file comes last.
    let files = trial.files.iter().rev();
    let ended = files.map(|file| end_file(trial, file)).fold(Ok(()), Result::and);
    ended?;
    if trial.kept_by.is_none() && trial.reloads_sshd && !trial.is_of_other_boot() {
        // If that fails, the stacks are as they were all the same.
        let reload = Reload::of_host().run();
        trial.reload = Some(match reload {
            Ok(reloaded) => reloaded.to_string(),
            Err(error) => error.to_string(),
        });
        // A full disk loses only these words.
        let _ = trial.save();
    }
    login_watch::stop().map_err(|error| cannot_change(login_watch::file(), &error))?;
    trial.archive()
}

fn end_file(trial: &Trial, file: &Tried) -> Result<(), Error> {
    let result = match trial.kept_by {
        Some(_) => keep(file),
        None => restore(file),
    };
    result.map_err(|error| cannot_change(&file.path, &error))
}

/// Restores the file itself, not a copy: it keeps its times, owner, labels and all other
/// attributes.
fn restore(file: &Tried) -> io::Result<()> {
    let original = beside(&file.path, "before");
    remove(&beside(&file.path, "new"))?;
    match (metadata(&original)?, metadata(&file.path)?) {
        // The file was not changed yet, or is restored already.
        (None, _) if file.existed => {}
        (Some(before), Some(now)) if is_one_file(&before, &now) => fs::remove_file(&original)?,
        (Some(_), _) => {
            save_edited(file);
            fs::rename(&original, &file.path)?;
        }
        (None, Some(_)) => {
            save_edited(file);
            fs::remove_file(&file.path)?;
        }
        (None, None) => {}
    }
    sync_folder(&file.path)
}

/// Keeps the new file.
fn keep(file: &Tried) -> io::Result<()> {
    remove(&beside(&file.path, "new"))?;
    remove(&beside(&file.path, "before"))?;
    sync_folder(&file.path)
}

/// Saves the text that another program wrote to the file during the trial. It saves to totpctl's
/// folder, or beside the file if the disk is full. If both fail, the text is lost, because the
/// stack has to be restored all the same.
fn save_edited(file: &Tried) {
    let path = &file.path;
    let Ok(text) = fs::read(path) else { return };
    if text == lossless_text::bytes(&file.text) {
        return;
    }
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let edited = Path::new(FOLDER).join(format!("{name}.edited"));
    if fs::write(&edited, text).is_err() {
        let _ = fs::remove_file(&edited);
        // A second name of the file needs no space.
        let beside = beside(path, "edited");
        let _ = remove(&beside).and_then(|()| fs::hard_link(path, &beside));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_cannot_be_restored_leaves_no_other_on_trial() {
        let folder = tempfile::tempdir().unwrap();
        let (blocked, other) = (folder.path().join("blocked"), folder.path().join("other"));
        // A folder in the place of the original is not renamed over a file.
        fs::create_dir(beside(&blocked, "before")).unwrap();
        fs::write(&blocked, "new").unwrap();
        fs::write(beside(&other, "before"), "old").unwrap();
        fs::write(&other, "a new line").unwrap();
        let files = [&blocked, &other].map(|path| Tried {
            path: path.clone(),
            existed: true,
            text: fs::read_to_string(path).unwrap(),
        });
        let mut trial = Trial {
            id: String::new(),
            services: Vec::new(),
            files: files.to_vec(),
            started: 0,
            ends: 0,
            boot: String::new(),
            kept_by: None,
            failed: None,
            reloads_sshd: false,
            reload: None,
        };
        assert!(end(&mut trial).is_err());
        assert_eq!(fs::read_to_string(&other).unwrap(), "old");
    }
}
