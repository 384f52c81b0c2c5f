//! Ends a trial: restores all files, or keeps the change. After an interruption, the next call
//! starts over.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::login_watch;
use super::state::{Edit, FOLDER, Trial, Tried};
use crate::error::Error;
use crate::host::sshd::reload::Reload;
use crate::pam::atomic_file::{beside, is_one_file, metadata, remove, sync_folder};
use crate::pam::change::cannot_change;
use crate::pam::lossless_text;

/// Ends a trial: keeps the change if a user logged in, and restores the files otherwise.
pub(super) fn end(trial: &mut Trial) -> Result<(), Error> {
    // One file that cannot be restored leaves no other one on trial. sshd can ask as long as its
    // stack does, so that its file comes last.
    let mut ended = Ok(());
    for file in trial.files.clone().iter().rev() {
        match end_file(trial, file) {
            Ok(None) => {}
            Ok(Some(edit)) => {
                trial.edited.push(edit);
                // A full disk loses only these words.
                let _ = trial.save();
            }
            Err(error) => ended = ended.and(Err(error)),
        }
    }
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

/// Ends the trial of a file. Returns the edit of another program that it replaced.
fn end_file(trial: &Trial, file: &Tried) -> Result<Option<Edit>, Error> {
    let result = match trial.kept_by {
        Some(_) => keep(file).map(|()| None),
        None => restore(file),
    };
    result.map_err(|error| cannot_change(&file.path, &error))
}

/// Restores the file itself, not a copy: it keeps its times, owner, labels and all other
/// attributes.
fn restore(file: &Tried) -> io::Result<Option<Edit>> {
    let mut edit = None;
    let original = beside(&file.path, "before");
    remove(&beside(&file.path, "new"))?;
    match (metadata(&original)?, metadata(&file.path)?) {
        // The file was not changed yet, or is restored already.
        (None, _) if file.existed => {}
        (Some(before), Some(now)) if is_one_file(&before, &now) => fs::remove_file(&original)?,
        (Some(_), _) => {
            edit = save_edited(file);
            fs::rename(&original, &file.path)?;
        }
        (None, Some(_)) => {
            edit = save_edited(file);
            fs::remove_file(&file.path)?;
        }
        (None, None) => {}
    }
    sync_folder(&file.path)?;
    Ok(edit)
}

/// Keeps the new file.
fn keep(file: &Tried) -> io::Result<()> {
    remove(&beside(&file.path, "new"))?;
    remove(&beside(&file.path, "before"))?;
    sync_folder(&file.path)
}

/// Saves the text that another program wrote to the file during the trial. It saves to totpctl's
/// folder, or beside the file if the disk is full. If both fail, the text is lost, because the
/// stack has to be restored all the same. Returns nothing if there is no such text.
fn save_edited(file: &Tried) -> Option<Edit> {
    let path = &file.path;
    let text = fs::read(path).ok()?;
    if text == lossless_text::bytes(&file.text) {
        return None;
    }
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let kept = write_new(Path::new(FOLDER), &name, &text).or_else(|_| {
        // A second name of the file needs no space.
        let beside = beside(path, "edited");
        remove(&beside).and_then(|()| fs::hard_link(path, &beside)).map(|()| beside)
    });
    Some(Edit { path: path.clone(), kept: kept.ok() })
}

/// Writes the text to a new file in the folder, beside those of earlier trials.
fn write_new(folder: &Path, name: &str, text: &[u8]) -> io::Result<PathBuf> {
    let paths = [format!("{name}.edited")]
        .into_iter()
        .chain((2..MAX_EDITS).map(|number| format!("{name}.edited-{number}")));
    for path in paths.map(|name| folder.join(name)) {
        match fs::File::create_new(&path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
            Ok(mut file) => {
                let written = file.write_all(text).and_then(|()| file.sync_all());
                return written.map(|()| path.clone()).inspect_err(|_| {
                    let _ = fs::remove_file(&path);
                });
            }
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

/// The saved edits of one file that are left beside each other.
const MAX_EDITS: u32 = 100;

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
        let mut trial = Trial { files: files.to_vec(), ..Trial::default() };
        assert!(end(&mut trial).is_err());
        assert_eq!(fs::read_to_string(&other).unwrap(), "old");
    }

    #[test]
    fn a_saved_edit_replaces_no_earlier_one() {
        let folder = tempfile::tempdir().unwrap();
        let write = |text: &[u8]| write_new(folder.path(), "sshd", text).unwrap();
        assert_eq!(write(b"first"), folder.path().join("sshd.edited"));
        assert_eq!(write(b"second"), folder.path().join("sshd.edited-2"));
        assert_eq!(fs::read(folder.path().join("sshd.edited")).unwrap(), b"first");
    }
}
