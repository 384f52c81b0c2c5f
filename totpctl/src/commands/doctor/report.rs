//! The report on one service or on the host.

use jiff::civil::Date;
use serde_json::{Map, Value, json};
use totpd_journal::escape::escape;

use super::acceptance::document::Acceptance;
use super::acceptance::judgment::{Judgment, judge};
use super::acceptance::subject::Subject;
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
    /// The findings that an administrator accepted, each by its acceptance.
    accepted: Vec<(Finding, Acceptance)>,
}

impl Report {
    pub(super) fn summarize(&mut self, phrase: impl Into<String>) {
        self.summary.push(phrase.into());
    }

    pub(super) fn problem(&mut self, id: FindingId, message: impl Into<String>) {
        self.problems.push(Finding::new(id, message));
    }

    /// Makes problems of the notes of this kind.
    pub(super) fn raise(&mut self, id: FindingId) {
        self.problems.extend(self.notes.extract_if(.., |note| note.id() == id));
    }

    /// Adds a remark to the findings of these kinds.
    pub(super) fn annotate(&mut self, ids: &[FindingId], remark: &str) {
        let findings = self.problems.iter_mut().chain(&mut self.notes);
        findings.filter(|found| ids.contains(&found.id())).for_each(|found| found.annotate(remark));
    }

    pub(super) fn note(&mut self, id: FindingId, message: impl Into<String>) {
        self.notes.push(Finding::new(id, message));
    }

    /// Returns what the findings are about. `read` returns the text of a file.
    pub(super) fn subjects(
        &self,
        service: Option<&str>,
        read: &dyn Fn(&str) -> Option<String>,
    ) -> Vec<Subject> {
        let findings = self.problems.iter().chain(&self.notes);
        findings.map(|finding| Subject::new(finding, service, read)).collect()
    }

    /// Moves the accepted findings to a list of their own. A finding that was accepted, and no
    /// longer is, says so.
    pub(super) fn apply(
        &mut self,
        service: Option<&str>,
        acceptances: &[Acceptance],
        today: Date,
        read: &dyn Fn(&str) -> Option<String>,
    ) {
        let found = self.subjects(service, read);
        for list in [&mut self.problems, &mut self.notes] {
            for finding in std::mem::take(list) {
                let subject = Subject::new(&finding, service, read);
                match judge(&subject, acceptances, today, &found) {
                    Judgment::Open => list.push(finding),
                    Judgment::Accepted(acceptance) => {
                        self.accepted.push((finding, acceptance.clone()));
                    }
                    Judgment::Expired(acceptance) => {
                        let day = acceptance.until.map(|day| day.to_string()).unwrap_or_default();
                        let remark = format!("{} accepted it until {day} only", acceptance.by);
                        list.push(finding.remark(&remark));
                    }
                    Judgment::Changed(acceptance) => {
                        let remark = format!("{} accepted it before it was changed", acceptance.by);
                        list.push(finding.remark(&remark));
                    }
                    Judgment::Moved(acceptance) => {
                        let line = acceptance.line.map(|line| line.to_string());
                        let remark = format!(
                            "{} accepted it at line {}",
                            acceptance.by,
                            line.unwrap_or_default()
                        );
                        list.push(finding.remark(&remark));
                    }
                }
            }
        }
    }

    pub(super) fn accepted_count(&self) -> usize {
        self.accepted.len()
    }

    /// Returns the keys of the JSON: `summary`, `problems`, `notes`, `accepted`.
    pub(super) fn json(&self, service: Option<&str>) -> Map<String, Value> {
        let findings =
            |list: &[Finding]| list.iter().map(|finding| finding.json(service)).collect::<Value>();
        let accepted = self.accepted.iter().map(|(finding, acceptance)| {
            let mut object = finding.json(service);
            object.insert("accepted".into(), acceptance.json());
            object
        });
        Map::from_iter([
            ("summary".to_owned(), json!(self.summary)),
            ("problems".to_owned(), findings(&self.problems)),
            ("notes".to_owned(), findings(&self.notes)),
            ("accepted".to_owned(), accepted.collect()),
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
        for (finding, acceptance) in &self.accepted {
            let line = format!("{} {}", finding.line(), acceptance.remark());
            text.push_str(&format!("  accepted: {}\n", escape(&line)));
        }
        output::lines(&text)
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    /// Returns a report with a problem at line 1 of a file, and a note on the host.
    fn report() -> Report {
        let mut report = Report::default();
        let finding = Finding::new(FindingId::StackSkipsCode, "it skips the code");
        report.problems.push(finding.at(("/etc/pam.d/x".into(), 1)));
        report.note(FindingId::ClockUnknown, "unknown");
        report
    }

    #[test]
    fn an_accepted_problem_is_a_problem_again_after_a_change() {
        let meant = |path: &str| (path == "/etc/pam.d/x").then(|| "auth optional a.so".to_owned());
        let changed = |_: &str| Some("auth optional b.so".to_owned());
        let day = date(2026, 11, 26);
        let subject = report().subjects(Some("x"), &meant).remove(0);
        let accepted = [Acceptance::new(subject, "meant", "alice".into(), day, Some(day))];

        let mut now = report();
        now.apply(Some("x"), &accepted, day, &meant);
        assert_eq!((now.problems.len(), now.notes.len(), now.accepted_count()), (0, 1, 1));
        let object = Value::from(now.json(Some("x")));
        let expected = json!({
            "id": "stack-skips-code", "service": "x", "message": "it skips the code",
            "file": "/etc/pam.d/x", "line": 1,
            "accepted": {
                "reason": "meant", "by": "alice", "date": "2026-11-26", "until": "2026-11-26",
            },
        });
        assert_eq!(object["accepted"][0], expected);

        for (day, read, remark) in [
            (
                date(2026, 11, 27),
                &meant as &dyn Fn(&str) -> Option<String>,
                "until 2026-11-26 only",
            ),
            (day, &changed, "before it was changed"),
        ] {
            let mut later = report();
            later.apply(Some("x"), &accepted, day, read);
            assert_eq!((later.problems.len(), later.accepted_count()), (1, 0));
            assert!(later.problems[0].message().contains(remark), "{:?}", later.problems);
        }
    }
}
