//! A person at a terminal who chooses whose an entry is.

use totpd_formats::reading::Entry;
use totpd_journal::escape::escape;

use crate::commands::import::owners::Chooser;
use crate::commands::import::source::Source;
use crate::error::Error;
use crate::terminal::input;

/// The terminal, if there is one. Without one, nothing is chosen.
pub(super) struct Terminal {
    is_there: bool,
}

impl Terminal {
    pub(super) fn new() -> Self {
        Self { is_there: input::is_terminal() }
    }
}

impl Chooser for Terminal {
    fn user_of(&mut self, source: &Source, entry: &Entry) -> Result<Option<String>, Error> {
        if !self.is_there {
            return Ok(None);
        }
        let question = format!("User of {} (empty: leave it): ", title(source, entry));
        let answer = input::line(&question)?;
        let answer = answer.as_deref().map(|user| user.trim().to_owned());
        Ok(answer.filter(|user| !user.is_empty()))
    }

    fn is_of(&mut self, user: &str, source: &Source, entry: &Entry) -> Result<bool, Error> {
        input::confirm(&format!("Import {} for {user}? [y/N] ", title(source, entry)))
    }
}

/// Returns an entry as a person recognizes it.
fn title(source: &Source, entry: &Entry) -> String {
    let names = [&entry.issuer, &entry.label].into_iter().filter(|name| !name.is_empty());
    let names: Vec<_> = names.map(|name| escape(name).into_owned()).collect();
    let file = source.file.to_string_lossy();
    match names.is_empty() {
        true => format!("{} of {}", entry.place, escape(&file)),
        false => format!("{} ({} of {})", names.join(" "), entry.place, escape(&file)),
    }
}
