//! Writes and removes the drop-in. sshd says afterward whether its lines are in effect.

use std::fs;
use std::io;
use std::path::Path;

use diffy::DiffOptions;

use super::content::{Content, FILE, own_lines, text};
use super::line::{Line, Purpose, missing};
use super::need;
use super::obstacle::obstacle;
use crate::error::Error;
use crate::host::sshd::question::{Answer, ask_files};
use crate::host::sshd::reload::{Reload, Reloaded, check_files};
use crate::pam::atomic_file::{remove, replace, sync_folder};

/// A change of the drop-in.
#[derive(Debug)]
pub(crate) struct DropIn {
    before: Option<String>,
    /// Its new text; none if it is removed.
    pub(crate) after: Option<String>,
    /// The lines that sshd lacks now.
    pub(crate) lines: Vec<Line>,
    /// How sshd reads its files again.
    pub(crate) reload: Reload,
    /// True if a person has just seen the change.
    pub(crate) is_shown: bool,
}

impl DropIn {
    /// Plans the drop-in after which sshd can ask for a code, if it cannot yet. Needs root.
    ///
    /// # Errors
    /// A drop-in could not set the lines.
    pub(crate) fn plan(purpose: Purpose) -> Result<Option<Self>, Error> {
        // Without an answer nothing is known, and the check of the whole configuration says why.
        let Ok(Answer { config, trace }) = ask_files() else { return Ok(None) };
        let lines = missing(&config, purpose);
        if lines.is_empty() {
            return Ok(None);
        }
        let before = read()?;
        let present = before.as_deref().map(Content::parse);
        let has_folder = Path::new(FILE).parent().is_some_and(Path::is_dir);
        if let Some(reason) = obstacle(&lines, &trace, present.as_ref(), has_folder) {
            return Err(Error::refused(reason));
        }
        let mut all = lines.clone();
        if let Some(Content::Own(written)) = present {
            all.extend(written);
        }
        all.sort_unstable();
        all.dedup();
        let reload = Reload::with_pid_file(config.pid_file.as_deref());
        Ok(Some(Self { before, after: Some(text(&all)), lines, reload, is_shown: false }))
    }

    /// Plans its removal, if totpctl wrote it and nobody changed it. Needs root.
    ///
    /// # Errors
    /// A user could not log in without it.
    pub(crate) fn plan_removal() -> Result<Option<Self>, Error> {
        let Ok(Some(before)) = read() else { return Ok(None) };
        let Content::Own(lines) = Content::parse(&before) else { return Ok(None) };
        if let Some(reason) = need::reason(&lines) {
            return Err(Error::refused(reason));
        }
        let reload = Reload::of_host();
        let (after, lines) = (None, Vec::new());
        Ok(Some(Self { before: Some(before), after, lines, reload, is_shown: false }))
    }

    /// Returns the same change, which a person has just seen.
    pub(crate) fn shown(self) -> Self {
        Self { is_shown: true, ..self }
    }

    /// Returns what holds for sshd without the file, as settings.
    pub(crate) fn settings_without(&self) -> Vec<String> {
        let lines = own_lines(self.before.as_deref().unwrap_or_default());
        lines.into_iter().map(|line| line.opposite('=')).collect()
    }

    /// Returns the change as `diff -u` shows it.
    pub(crate) fn diff(&self) -> String {
        let name = |text: &Option<String>| if text.is_some() { FILE } else { "/dev/null" };
        let mut options = DiffOptions::new();
        options.set_original_filename(name(&self.before)).set_modified_filename(name(&self.after));
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        options.create_patch(&text(&self.before), &text(&self.after)).to_string()
    }

    /// Writes or removes the file. sshd reads it at its next start or reload.
    ///
    /// # Errors
    /// sshd would not start then, or another line keeps one of these from its effect. The file is
    /// then as before.
    pub(crate) fn apply(&self) -> Result<(), Error> {
        let checked = put(self.after.as_deref()).and_then(|()| self.check_effect());
        checked.map_err(|error| both(error, self.undo().err()))
    }

    /// Writes or removes the file, and has sshd read it.
    ///
    /// # Errors
    /// Those of [`DropIn::apply`], or the sshd that runs did not read it. The file is then as
    /// before.
    pub(crate) fn put_in_force(&self) -> Result<Reloaded, Error> {
        self.apply()?;
        self.reload.run().map_err(|error| {
            let error = Error::refused(format!("not changed: {error}, and then this again"));
            self.take_back(error)
        })
    }

    /// Writes the file as it was before, and has sshd read it, because of this error. Returns what
    /// failed.
    pub(crate) fn take_back(&self, error: Error) -> Error {
        let failure = self.undo().and_then(|()| self.reload.run()).err();
        // What keeps sshd from a reload keeps it from the second one too.
        let is_new = |other: &Error| !error.to_string().contains(&other.to_string());
        let failure = failure.filter(is_new);
        both(error, failure)
    }

    /// Writes the file as it was before.
    fn undo(&self) -> Result<(), Error> {
        put(self.before.as_deref())
    }

    /// Asks sshd whether the file has its effect.
    pub(crate) fn check_effect(&self) -> Result<(), Error> {
        check_files()?;
        let answer = ask_files().map_err(|failure| Error::refused(failure.message))?;
        let ineffective = self.lines.iter().find(|line| !line.is_in_effect(&answer.config));
        let Some(line) = ineffective else { return Ok(()) };
        let place = match answer.trace.place(&[line.keyword()]) {
            Some((file, line)) => format!("because of {file}:{line}"),
            None => "perhaps because its Include line stands in a Match block".to_owned(),
        };
        Err(Error::refused(format!(
            "not changed: \"{}\" in {FILE} would have no effect (sshd -T), {place}; change that first",
            line.text(' ')
        )))
    }
}

/// The drop-in as it was when a change was planned.
#[derive(PartialEq, Eq)]
pub(crate) struct Seen(Option<String>);

impl Seen {
    /// Reads the file. One that cannot be read is changed by nobody here.
    pub(crate) fn now() -> Self {
        Self(read().ok().flatten())
    }

    /// Refuses a change if another program has changed the file since.
    pub(crate) fn check_unchanged(&self) -> Result<(), Error> {
        match *self == Self::now() {
            true => Ok(()),
            false => Err(changed_since_plan()),
        }
    }
}

/// Returns the error of a plan that another program has made wrong.
pub(crate) fn changed_since_plan() -> Error {
    Error::refused(format!(
        "not changed: {FILE}, or what sshd has without it, was changed while this command ran; check it, and run this \
         again"
    ))
}

/// Returns the lines of totpctl in the file, if totpctl wrote it, and it was changed since.
pub(crate) fn lines_of_edited() -> Option<Vec<Line>> {
    let text = read().ok().flatten()?;
    (Content::parse(&text) == Content::Edited).then(|| own_lines(&text))
}

/// Reports whether the file is one that totpctl wrote.
pub(crate) fn is_own() -> bool {
    let text = read().ok().flatten();
    text.is_some_and(|text| matches!(Content::parse(&text), Content::Own(_)))
}

/// Returns an error that says both.
fn both(error: Error, other: Option<Error>) -> Error {
    match other.filter(|other| other.to_string() != error.to_string()) {
        Some(other) => Error::refused(format!("{error}; {other}")),
        None => error,
    }
}

fn read() -> Result<Option<String>, Error> {
    // totpctl writes no link, and would change what it names.
    if fs::symlink_metadata(FILE).is_ok_and(|data| !data.is_file()) {
        return Err(Error::refused(format!(
            "totpctl did not write {FILE}, which is no regular file; replace it by one"
        )));
    }
    match fs::read(FILE) {
        Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::refused(format!("cannot read {FILE}: {error}"))),
    }
}

fn put(text: Option<&str>) -> Result<(), Error> {
    let path = Path::new(FILE);
    let result = match text {
        Some(text) => replace(path, text.as_bytes(), path.exists().then_some(path)),
        None => remove(path).and_then(|()| sync_folder(path)),
    };
    result.map_err(|error| Error::refused(format!("cannot change {FILE}: {error}")))
}
