//! What doctor found, and how it is printed.

use serde_json::{Map, Value};

use crate::error::Error;
use crate::terminal::output;

/// What is found of something: one line that says what it does, and what follows from it.
#[derive(Default)]
pub(super) struct Report {
    /// Said of a service that is fine, and of one that is not.
    pub(super) summary: Vec<String>,
    /// What is wrong, and the change to make.
    pub(super) problems: Vec<String>,
    /// What somebody may want to know.
    pub(super) notes: Vec<String>,
}

pub(super) fn object(report: Report) -> Map<String, Value> {
    let Report { summary, problems, notes } = report;
    [("does", summary), ("wrong", problems), ("notes", notes)]
        .into_iter()
        .map(|(key, texts)| (key.to_owned(), texts.into()))
        .collect()
}

pub(super) fn show(name: &str, report: &Report) -> Result<(), Error> {
    let mut text = format!("{}: {}\n", output::escape(name), report.summary.join(", "));
    for wrong in &report.problems {
        text.push_str(&format!("  WRONG: {}\n", output::escape(wrong)));
    }
    for note in &report.notes {
        text.push_str(&format!("  note: {}\n", output::escape(note)));
    }
    output::data(&text)
}
