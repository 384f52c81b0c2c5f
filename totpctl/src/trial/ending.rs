//! Ends a trial: restores all files, or keeps the change. After an interruption, the next call
//! starts over.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use totpd_journal::{Entry, Priority, Program};

use super::login_watch;
use super::state::{Edit, FOLDER, Trial, Tried};
use crate::error::Error;
use crate::host::sshd::reload::Reload;
use crate::pam::atomic_file::{beside, is_one_file, metadata, remove, sync_folder, write_like};
use crate::pam::change::cannot_change;
use crate::pam::files::read_bytes;
use crate::pam::lossless_text;
use crate::sshd_drop_in::content::{FILE, opens, own_lines};

/// Ends a trial: keeps the change if a user logged in, and restores the files otherwise.
pub(super) fn end(trial: &mut Trial) -> Result<(), Error> {
    let is_of_sshd = |file: &Tried| file.path == Path::new(FILE);
    // As long as sshd obeys the lines of the trial, the stack asks: otherwise a password alone
    // would be enough.
    let sshd = end_files(trial, &is_of_sshd).map_err(Failure::File);
    let sshd = sshd.and_then(|()| reload_sshd(trial));
    let obeys = sshd.is_err() && trial.kept_by.is_none();
    trial.warning = obeys.then(|| warning(trial));
    // Nobody is known to get in with a code, so that the stacks are as before in any case.
    let stacks = end_files(trial, &|file| !is_of_sshd(file));
    if let Some(warning) = &trial.warning {
        let message = format!("a trial is reverted, and {warning}");
        Entry::new(Priority::Warning, message).by(Program::Totpctl).write();
    }
    if trial.kept_by.is_none() && trial.reloads_sshd {
        // A full disk loses only these words.
        let _ = trial.save();
    }
    match (sshd, &trial.warning) {
        (Err(Failure::File(error)), Some(warning)) => {
            return Err(error.with_message(|text| format!("{text}; {warning}")));
        }
        (Err(Failure::File(error)), None) => return Err(error),
        (Err(Failure::Reload) | Ok(()), _) => stacks?,
    }
    login_watch::stop().map_err(|error| cannot_change(login_watch::file(), &error))?;
    trial.archive()
}

/// Why sshd still obeys the lines of the trial.
enum Failure {
    File(Error),
    Reload,
}

/// Ends the trial of these files. One that cannot be restored leaves no other one on trial.
fn end_files(trial: &mut Trial, is_one: &dyn Fn(&Tried) -> bool) -> Result<(), Error> {
    let mut ended = Ok(());
    for file in trial.files.clone().iter().rev().filter(|file| is_one(file)) {
        let result = match trial.kept_by {
            Some(_) => keep(file),
            None => restore(file, Path::new(FOLDER), &mut |edit| note_edit(trial, edit)),
        };
        ended = ended.and(result.map_err(|error| cannot_change(&file.path, &error)));
    }
    ended
}

/// Has sshd read its files without the lines of the trial. After a reboot it may have started
/// with them.
fn reload_sshd(trial: &mut Trial) -> Result<(), Failure> {
    if trial.kept_by.is_some() || !trial.reloads_sshd {
        return Ok(());
    }
    let reload = Reload::run_of_host();
    trial.reload = Some(match &reload {
        Ok(reloaded) => reloaded.to_string(),
        Err(error) => error.to_string(),
    });
    reload.map(|_| ()).map_err(|_| Failure::Reload)
}

/// Returns a phrase on what the lines mean that sshd still obeys.
fn warning(trial: &Trial) -> String {
    let opens = trial
        .files
        .iter()
        .any(|file| file.path == Path::new(FILE) && opens(&own_lines(&file.text)));
    match opens {
        true => {
            "sshd still obeys the lines of the trial, so that passwords alone may let users in by ssh"
        }
        false => "sshd still obeys the lines of the trial",
    }
    .to_owned()
}

/// Notes an edit before its file goes, so that it is told after a crash too.
fn note_edit(trial: &mut Trial, edit: Edit) {
    // A crash may have come after the first note.
    if !trial.edited.contains(&edit) {
        trial.edited.push(edit);
        // A full disk loses only these words.
        let _ = trial.save();
    }
}

/// Restores the file itself, not a copy: it keeps its times, owner, labels and all other
/// attributes. Saves the edit of another program that it replaces in `folder`, and calls `note`.
fn restore(file: &Tried, folder: &Path, note: &mut dyn FnMut(Edit)) -> io::Result<()> {
    let original = beside(&file.path, "before");
    remove(&beside(&file.path, "new"))?;
    match (metadata(&original)?, metadata(&file.path)?) {
        // The file was not changed yet, or is restored already.
        (None, _) if file.existed => {}
        (Some(before), Some(now)) if is_one_file(&before, &now) => fs::remove_file(&original)?,
        (Some(_), _) => {
            save_edited(file, folder).into_iter().for_each(note);
            fs::rename(&original, &file.path)?;
        }
        (None, Some(_)) => {
            save_edited(file, folder).into_iter().for_each(note);
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

/// Saves the text that another program wrote to the file during the trial. It saves to the folder,
/// or beside the file if the disk is full. If both fail, the text is lost, because the stack has to
/// be restored all the same. Returns nothing if there is no such text.
fn save_edited(file: &Tried, folder: &Path) -> Option<Edit> {
    let path = &file.path;
    // Nothing is there, or a folder, which no file replaces.
    if !fs::symlink_metadata(path).is_ok_and(|metadata| !metadata.is_dir()) {
        return None;
    }
    // It may be a FIFO, which nobody writes.
    let text = read_bytes(path).map_err(io::Error::other);
    if text.as_ref().is_ok_and(|text| *text == lossless_text::bytes(&file.text)) {
        return None;
    }
    let kept = text.and_then(|text| write_new(folder, path, &text)).or_else(|_| {
        // A second name of the file needs no space.
        let beside = beside(path, "edited");
        remove(&beside).and_then(|()| fs::hard_link(path, &beside)).map(|()| beside)
    });
    Some(Edit { path: path.clone(), kept: kept.ok() })
}

/// Writes the text of `like` to a new file in the folder, beside those of earlier trials. The text
/// may be a secret: nobody can read it who could not read the file.
fn write_new(folder: &Path, like: &Path, text: &[u8]) -> io::Result<PathBuf> {
    let name = like.file_name().unwrap_or_default().to_string_lossy();
    let paths = [format!("{name}.edited")]
        .into_iter()
        .chain((2..MAX_EDITS).map(|number| format!("{name}.edited-{number}")));
    for path in paths.map(|name| folder.join(name)) {
        match write_like(&path, text, Some(like)) {
            Ok(()) => return Ok(path),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                // A crash may have come after it was written.
                if read_bytes(&path).is_ok_and(|present| present == text) {
                    return Ok(path);
                }
            }
            Err(error) => {
                let _ = fs::remove_file(&path);
                return Err(error);
            }
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

/// The saved edits of one file that are left beside each other.
const MAX_EDITS: u32 = 100;

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

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
        let tried = folder.path().join("sshd");
        fs::write(&tried, "").unwrap();
        let write = |text: &[u8]| write_new(folder.path(), &tried, text).unwrap();
        assert_eq!(write(b"first"), folder.path().join("sshd.edited"));
        assert_eq!(write(b"second"), folder.path().join("sshd.edited-2"));
        assert_eq!(write(b"second"), folder.path().join("sshd.edited-2"), "after a crash");
        assert_eq!(fs::read(folder.path().join("sshd.edited")).unwrap(), b"first");
    }

    #[test]
    fn a_saved_edit_is_no_more_readable_than_its_file() {
        let folder = tempfile::tempdir().unwrap();
        let tried = folder.path().join("sshd");
        fs::write(&tried, "").unwrap();
        for mode in [0o600, 0o640, 0o644] {
            fs::set_permissions(&tried, fs::Permissions::from_mode(mode)).unwrap();
            let saved = write_new(folder.path(), &tried, &mode.to_string().into_bytes()).unwrap();
            let found = fs::metadata(saved).unwrap().permissions().mode() & 0o7777;
            assert_eq!(found, mode, "{mode:o}");
        }
    }

    #[test]
    fn an_edit_is_noted_before_its_file_goes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("no-such-service");
        fs::write(&path, "# mine").unwrap();
        fs::write(beside(&path, "before"), "old").unwrap();
        let file = Tried { path: path.clone(), existed: true, text: "new".into() };
        let mut noted = 0;
        restore(&file, folder.path(), &mut |edit| {
            noted += 1;
            assert_eq!(edit.path, path);
            assert_eq!(fs::read_to_string(&path).unwrap(), "# mine");
        })
        .unwrap();
        assert_eq!((noted, fs::read_to_string(&path).unwrap().as_str()), (1, "old"));
    }

    #[test]
    fn a_fifo_in_the_place_of_a_file_is_not_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("no-such-service");
        rustix::fs::mkfifoat(rustix::fs::CWD, &path, 0o600.into()).unwrap();
        fs::write(beside(&path, "before"), "old").unwrap();
        let file = Tried { path: path.clone(), existed: true, text: "new".into() };
        let mut edits = Vec::new();
        restore(&file, folder.path(), &mut |edit| edits.push(edit)).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "old");
        assert_eq!(edits.len(), 1, "{edits:?}");
    }
}
