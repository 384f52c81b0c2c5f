//! What became of each entry and each user, for people or as JSON.

use std::path::Path;

use serde_json::{Value, json};
use totpd_formats::reading::{Change, Entry, ImportedFactor};
use totpd_journal::escape::escape;

use crate::commands::import::source::Source;
use crate::error::Error;
use crate::host::local_time;
use crate::terminal::output;

/// The report of an import.
pub(super) struct Report {
    json: bool,
    dry_run: bool,
    imported: u64,
    unchanged: u64,
    failed: u64,
}

/// What became of a user.
pub(super) enum Outcome {
    /// The factors came over, or would (`--dry-run`).
    Imported { factors: Vec<String>, replaces: Vec<String>, usable_from: Option<u64> },
    /// The user has them already.
    Unchanged,
    /// The token of a failure, and the reason.
    Failed(&'static str, String),
}

impl Report {
    pub(super) fn new(json: bool, dry_run: bool) -> Self {
        Self { json, dry_run, imported: 0, unchanged: 0, failed: 0 }
    }

    /// Reports a file that was not read.
    pub(super) fn file_failed(&mut self, file: &Path, reason: &str) -> Result<(), Error> {
        self.failed += 1;
        let file = file.to_string_lossy();
        self.left(&file, json!({ "file": file }), reason, "failed")
    }

    /// Reports the file of a user that was not read.
    pub(super) fn home_failed(
        &mut self,
        user: &str,
        file: &Path,
        reason: &str,
    ) -> Result<(), Error> {
        self.failed += 1;
        let file = file.to_string_lossy();
        let subject = format!("{user}: {file}");
        self.left(&subject, json!({ "file": file, "user": user }), reason, "failed")
    }

    /// Reports an entry that has no factor which can come over. That is no failure.
    pub(super) fn entry_left(
        &mut self,
        source: &Source,
        entry: &Entry,
        reason: &str,
    ) -> Result<(), Error> {
        self.left(&subject(source, entry), place(source, entry), reason, "left")
    }

    /// Reports an entry of nobody.
    pub(super) fn entry_unmatched(
        &mut self,
        source: &Source,
        entry: &Entry,
        reason: &str,
    ) -> Result<(), Error> {
        self.failed += 1;
        self.left(&subject(source, entry), place(source, entry), reason, "failed")
    }

    /// Says what of an entry was changed or left.
    pub(super) fn entry_taken(
        &self,
        user: &str,
        source: &Source,
        entry: &Entry,
        factor: &ImportedFactor,
    ) {
        let subject = format!("{user}: {}", subject(source, entry));
        factor.changes.iter().filter(|change| is_worth_a_line(change)).for_each(|change| {
            note(&subject, &change.to_string());
        });
    }

    /// Reports what became of a user.
    pub(super) fn user(&mut self, user: &str, outcome: &Outcome) -> Result<(), Error> {
        match outcome {
            Outcome::Imported { .. } => self.imported += 1,
            Outcome::Unchanged => self.unchanged += 1,
            Outcome::Failed(..) => self.failed += 1,
        }
        if self.json {
            return output::json(&self.object(user, outcome));
        }
        let shown = escape(user);
        match outcome {
            Outcome::Imported { replaces, usable_from, .. } => {
                let done = if self.dry_run { "would be imported" } else { "imported" };
                let instead = match replaces.as_slice() {
                    [] => String::new(),
                    replaces => format!(" in the place of {}", replaces.join(", ")),
                };
                let from = usable_from.map(|time| {
                    let time = local_time::display_time_of_day(time);
                    format!("; codes are valid from {time} on")
                });
                output::data(&format!("{shown}: {done}{instead}{}\n", from.unwrap_or_default()))
            }
            Outcome::Unchanged => output::data(&format!("{shown}: imported before, unchanged\n")),
            Outcome::Failed(_, reason) => {
                note(user, reason);
                Ok(())
            }
        }
    }

    fn object(&self, user: &str, outcome: &Outcome) -> Value {
        match outcome {
            Outcome::Imported { factors, replaces, usable_from } => json!({
                "user": user, "result": if self.dry_run { "planned" } else { "imported" },
                "changed": true, "factors": factors, "replaces": replaces, "usable_from": usable_from,
            }),
            Outcome::Unchanged => json!({ "user": user, "result": "unchanged", "changed": false }),
            Outcome::Failed(code, reason) => json!({
                "user": user, "result": "failed", "changed": false,
                "error": { "code": code, "message": reason },
            }),
        }
    }

    /// Reports what was left, at `place`.
    fn left(
        &self,
        subject: &str,
        place: Value,
        reason: &str,
        result: &'static str,
    ) -> Result<(), Error> {
        if !self.json {
            note(subject, reason);
            return Ok(());
        }
        let Value::Object(mut object) = place else { return Ok(()) };
        object.insert("result".into(), result.into());
        object.insert("changed".into(), false.into());
        match result {
            "left" => object.insert("reason".into(), reason.into()),
            _ => object.insert("error".into(), json!({ "code": "refused", "message": reason })),
        };
        output::json(&Value::Object(object))
    }

    /// Prints the sum, and fails if something was left that should have come over.
    pub(super) fn finish(self) -> Result<(), Error> {
        let done = if self.dry_run { "would be imported" } else { "imported" };
        let mut sum = format!("{} {done}", output::count(self.imported, "user"));
        if self.unchanged > 0 {
            sum.push_str(&format!(", {} imported before", self.unchanged));
        }
        match self.failed {
            0 => {
                if !self.json {
                    output::note(&format!("{sum}."));
                }
                Ok(())
            }
            failed => Err(Error::reported(format!("{sum}; {failed} not, as said above"))),
        }
    }
}

/// Says what a person should know, on standard error.
fn note(subject: &str, text: &str) {
    output::note(&format!("{}: {}", escape(subject), escape(text)));
}

/// Reports whether a person should read of a change. All else came over as it was.
fn is_worth_a_line(change: &Change) -> bool {
    !matches!(change, Change::ScratchCodesKept(_))
}

fn subject(source: &Source, entry: &Entry) -> String {
    let name = [&entry.issuer, &entry.label].into_iter().filter(|name| !name.is_empty());
    let name = entry.owner.iter().chain(name).cloned().collect::<Vec<_>>().join(" ");
    let name = if name.is_empty() { String::new() } else { format!(" ({name})") };
    format!("{}, {}{name}", source.file.display(), entry.place)
}

fn place(source: &Source, entry: &Entry) -> Value {
    json!({
        "file": source.file.to_string_lossy(), "place": entry.place.to_string(),
        "owner": entry.owner, "label": entry.label, "issuer": entry.issuer,
    })
}
