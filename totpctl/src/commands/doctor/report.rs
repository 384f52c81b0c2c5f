//! The report on one service or on the host.

use serde_json::{Map, Value, json};
use totpd_journal::escape::escape;

use super::finding::{Finding, FindingId};
use crate::error::Error;
use crate::terminal::output;

/// The findings of doctor.
#[derive(Default)]
pub(super) struct Report {
    /// The behavior of the service or the host, in short phrases.
    pub(super) summary: Vec<String>,
    /// The findings that have to be changed.
    pub(super) problems: Vec<Finding>,
    /// The findings that may be intended.
    pub(super) notes: Vec<Finding>,
}

impl Report {
    pub(super) fn summarize(&mut self, phrase: impl Into<String>) {
        self.summary.push(phrase.into());
    }

    pub(super) fn problem(&mut self, id: FindingId, message: impl Into<String>) {
        self.problems.push(Finding::new(id, message));
    }

    pub(super) fn note(&mut self, id: FindingId, message: impl Into<String>) {
        self.notes.push(Finding::new(id, message));
    }

    /// Returns the keys of the JSON: `summary`, `problems`, `notes`.
    pub(super) fn json(&self) -> Map<String, Value> {
        let findings = |findings: &[Finding]| findings.iter().map(Finding::json).collect::<Value>();
        Map::from_iter([
            ("summary".to_owned(), json!(self.summary)),
            ("problems".to_owned(), findings(&self.problems)),
            ("notes".to_owned(), findings(&self.notes)),
        ])
    }

    /// Prints the report under this name.
    pub(super) fn print(&self, name: &str) -> Result<(), Error> {
        let mut text = format!("{}: {}\n", escape(name), self.summary.join(", "));
        for problem in &self.problems {
            text.push_str(&format!("  problem: {}\n", escape(&problem.line())));
        }
        for note in &self.notes {
            text.push_str(&format!("  note: {}\n", escape(&note.line())));
        }
        output::lines(&text)
    }
}
