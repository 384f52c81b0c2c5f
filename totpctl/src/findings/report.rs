//! What was found about one service or the host.

use super::finding::{Finding, FindingId};

/// The findings of doctor.
#[derive(Default)]
pub(crate) struct Report {
    /// The behavior of the service or the host, in short phrases.
    pub(crate) summary: Vec<String>,
    /// The findings that have to be changed.
    pub(crate) problems: Vec<Finding>,
    /// The findings that may be intended.
    pub(crate) notes: Vec<Finding>,
}

impl Report {
    pub(crate) fn summarize(&mut self, phrase: impl Into<String>) {
        self.summary.push(phrase.into());
    }

    pub(crate) fn problem(&mut self, id: FindingId, message: impl Into<String>) {
        self.problems.push(Finding::new(id, message));
    }

    /// Makes problems of the notes of this kind.
    pub(crate) fn raise(&mut self, id: FindingId) {
        self.problems.extend(self.notes.extract_if(.., |note| note.id() == id));
    }

    /// Adds a remark to the findings of these kinds.
    pub(crate) fn annotate(&mut self, ids: &[FindingId], remark: &str) {
        let findings = self.problems.iter_mut().chain(&mut self.notes);
        findings.filter(|found| ids.contains(&found.id())).for_each(|found| found.annotate(remark));
    }

    pub(crate) fn note(&mut self, id: FindingId, message: impl Into<String>) {
        self.notes.push(Finding::new(id, message));
    }
}
