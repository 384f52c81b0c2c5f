//! The report of doctor, for people and for programs.

mod doors;

use jiff::civil::Date;
use serde_json::{Map, Value, json};
use totpd_journal::escape::escape;

use super::acceptance::document::Acceptance;
use super::acceptance::judgment::{Judgment, judge};
use super::acceptance::subject::Subject;
use crate::error::Error;
use crate::findings::finding::Finding;
use crate::findings::report::Report;
use crate::host::door::Door;
use crate::terminal::output;

/// All that doctor prints.
pub(crate) struct Page {
    pub(crate) services: Vec<ServiceReport>,
    pub(crate) doors: Vec<Door>,
    pub(crate) host: Judged,
}

/// The report on one service.
pub(crate) struct ServiceReport {
    pub(crate) name: String,
    /// True if the service asks for a code.
    pub(crate) asks: bool,
    pub(crate) judged: Judged,
}

impl Page {
    pub(crate) fn problem_count(&self) -> usize {
        self.reports().map(|judged| judged.report.problems.len()).sum()
    }

    fn accepted_count(&self) -> usize {
        self.reports().map(|judged| judged.accepted.len()).sum()
    }

    fn reports(&self) -> impl Iterator<Item = &Judged> {
        self.services.iter().map(|service| &service.judged).chain([&self.host])
    }

    pub(crate) fn json(&self) -> Value {
        let services: Map<String, Value> = self
            .services
            .iter()
            .map(|ServiceReport { name, asks, judged }| {
                let mut object = Map::from_iter([("asks".to_owned(), Value::from(*asks))]);
                object.extend(judged.json(Some(name)));
                (name.clone(), object.into())
            })
            .collect();
        json!({
            "services": services, "doors": self.doors.iter().map(doors::json).collect::<Value>(),
            "host": self.host.json(None), "problem_count": self.problem_count(),
            "accepted_count": self.accepted_count(),
        })
    }

    pub(crate) fn print(&self) -> Result<(), Error> {
        for service in &self.services {
            service.judged.print(&service.name)?;
        }
        if !self.doors.is_empty() {
            output::lines(&doors::text(&self.doors))?;
        }
        self.host.print("this host")
    }
}

/// A report without the findings that an administrator accepted.
pub(crate) struct Judged {
    report: Report,
    /// The findings that an administrator accepted, each by its acceptance.
    accepted: Vec<(Finding, Acceptance)>,
}

impl Judged {
    /// Moves the accepted findings to a list of their own. A finding that was accepted, and no
    /// longer is, says so. `read` returns the text of a file.
    pub(crate) fn new(
        mut report: Report,
        service: Option<&str>,
        acceptances: &[Acceptance],
        today: Date,
        read: &dyn Fn(&str) -> Option<String>,
    ) -> Self {
        let found = subjects(&report, service, read);
        let mut all_accepted = Vec::new();
        for list in [&mut report.problems, &mut report.notes] {
            for finding in std::mem::take(list) {
                let subject = Subject::new(&finding, service, read);
                match judge(&subject, acceptances, today, &found) {
                    Judgment::Open => list.push(finding),
                    Judgment::Accepted(acceptance) => {
                        all_accepted.push((finding, acceptance.clone()));
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
        Self { report, accepted: all_accepted }
    }

    /// Returns the keys of the JSON: `summary`, `problems`, `notes`, `accepted`.
    fn json(&self, service: Option<&str>) -> Map<String, Value> {
        let findings =
            |list: &[Finding]| list.iter().map(|finding| finding.json(service)).collect::<Value>();
        let accepted = self.accepted.iter().map(|(finding, acceptance)| {
            let mut object = finding.json(service);
            object.insert("accepted".into(), acceptance.json());
            object
        });
        Map::from_iter([
            ("summary".to_owned(), json!(self.report.summary)),
            ("problems".to_owned(), findings(&self.report.problems)),
            ("notes".to_owned(), findings(&self.report.notes)),
            ("accepted".to_owned(), accepted.collect()),
        ])
    }

    /// Prints the report under this name.
    fn print(&self, name: &str) -> Result<(), Error> {
        let mut text = format!("{}: {}\n", escape(name), self.report.summary.join(", "));
        for problem in &self.report.problems {
            text.push_str(&format!("  problem: {}\n", escape(&problem.line())));
        }
        for note in &self.report.notes {
            text.push_str(&format!("  note: {}\n", escape(&note.line())));
        }
        for (finding, acceptance) in &self.accepted {
            let line = format!("{} {}", finding.line(), acceptance.remark());
            text.push_str(&format!("  accepted: {}\n", escape(&line)));
        }
        output::lines(&text)
    }
}

/// Returns what the findings of a report are about. `read` returns the text of a file.
pub(crate) fn subjects(
    report: &Report,
    service: Option<&str>,
    read: &dyn Fn(&str) -> Option<String>,
) -> Vec<Subject> {
    let findings = report.problems.iter().chain(&report.notes);
    findings.map(|finding| Subject::new(finding, service, read)).collect()
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::findings::finding::FindingId;

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
        let subject = subjects(&report(), Some("x"), &meant).remove(0);
        let accepted = [Acceptance::new(subject, "meant", "alice".into(), day, Some(day))];

        let now = Judged::new(report(), Some("x"), &accepted, day, &meant);
        let Report { problems, notes, .. } = &now.report;
        assert_eq!((problems.len(), notes.len(), now.accepted.len()), (0, 1, 1));
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
            let later = Judged::new(report(), Some("x"), &accepted, day, read);
            let problems = &later.report.problems;
            assert_eq!((problems.len(), later.accepted.len()), (1, 0));
            assert!(problems[0].message().contains(remark), "{problems:?}");
        }
    }
}
