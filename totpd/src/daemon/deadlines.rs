//! The deadlines of the rules that passed. One that passed stays passed if somebody sets the clock
//! back, so each is written down.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use totpd_core::policy::Policy;
use totpd_journal::{Entry, Priority};
use totpd_store::mutex::lock;

/// The deadlines of the rules, and which of them passed.
#[derive(Debug, Default)]
pub(crate) struct Deadlines {
    all: BTreeSet<u64>,
    passed: Mutex<BTreeSet<u64>>,
    file: Option<PathBuf>,
}

impl Deadlines {
    /// Returns the deadlines of `policy`, with what `file` says of them. Without a file, they are
    /// kept in memory.
    pub(crate) fn open(policy: &Policy, file: Option<&Path>) -> Self {
        let all: BTreeSet<_> = policy.deadlines().map(|deadline| deadline.0).collect();
        if all.is_empty() {
            return Self::default();
        }
        let passed = file.map(read).transpose().unwrap_or_else(|error| {
            let message = format!(
                "cannot read which deadlines of rules passed: {error}; until that is over, the \
                 clock alone decides"
            );
            Entry::new(Priority::Error, message).write();
            None
        });
        let passed = passed.unwrap_or_default();
        Self { all, passed: Mutex::new(passed), file: file.map(Path::to_path_buf) }
    }

    /// Returns `now` (seconds since 1970), or a later deadline that passed before. Writes down the
    /// deadlines that passed by `now`.
    pub(crate) fn not_before(&self, now: u64) -> u64 {
        let Some(last) = self.all.last() else { return now };
        let mut passed = lock(&self.passed);
        let new: Vec<_> = self.all.range(..=now).filter(|date| !passed.contains(date)).collect();
        if !new.is_empty() {
            passed.extend(new);
            if let Some(file) = &self.file
                && let Err(error) = write(file, &passed)
            {
                let message =
                    format!("cannot write down that a deadline of a rule passed: {error}");
                Entry::new(Priority::Error, message).write();
            }
        }
        let latest = passed.range(..=last).rev().find(|date| self.all.contains(date));
        latest.map_or(now, |latest| now.max(*latest))
    }
}

/// Reads a deadline a line. A line that is none is as if absent.
fn read(file: &Path) -> io::Result<BTreeSet<u64>> {
    match fs::read_to_string(file) {
        Ok(text) => Ok(text.lines().filter_map(|line| line.parse().ok()).collect()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(BTreeSet::new()),
        Err(error) => Err(error),
    }
}

/// Replaces the file. A crash leaves the old one or the new one.
fn write(path: &Path, passed: &BTreeSet<u64>) -> io::Result<()> {
    let new = path.with_extension("new");
    let mut file = File::create(&new)?;
    let lines: String = passed.iter().map(|deadline| format!("{deadline}\n")).collect();
    file.write_all(lines.as_bytes())?;
    file.sync_all()?;
    fs::rename(&new, path)?;
    path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
}

#[cfg(test)]
mod tests {
    use totpd_core::policy::{Deadline, Rule, RuleName, Then};

    use super::*;

    fn policy(deadlines: &[u64]) -> Policy {
        let name = RuleName::parse("rule").unwrap();
        let (users, groups, services, from) = (None, None, None, None);
        let rule = Rule { name, users, groups, services, from, then: Then::Skip };
        let rule = |date: &u64| Rule { then: Then::EnrollBy(Deadline(*date)), ..rule.clone() };
        Policy::new(deadlines.iter().map(rule).collect())
    }

    #[test]
    fn a_deadline_that_passed_stays_passed_over_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("deadlines");
        let open = |dates: &[u64]| Deadlines::open(&policy(dates), Some(&file));
        let deadlines = open(&[100, 200]);
        assert_eq!(deadlines.not_before(99), 99);
        assert!(!file.exists(), "nothing passed");
        assert_eq!(deadlines.not_before(100), 100);
        for deadlines in [&deadlines, &open(&[100, 200])] {
            assert_eq!(deadlines.not_before(50), 100, "the clock was set back");
            assert_eq!(deadlines.not_before(150), 150);
        }
        assert_eq!(open(&[100]).not_before(1_000), 1_000, "and a jump forth");
        assert_eq!(open(&[120]).not_before(50), 50, "a new date is a new deadline");
        assert_eq!(open(&[100]).not_before(50), 100);
    }

    #[test]
    fn without_a_deadline_nothing_is_read_or_written() {
        let folder = tempfile::tempdir().unwrap();
        let deadlines = Deadlines::open(&policy(&[]), Some(folder.path()));
        assert_eq!(deadlines.not_before(50), 50);
        // A folder can be neither read nor replaced: the clock decides, and what was seen.
        let deadlines = Deadlines::open(&policy(&[100]), Some(folder.path()));
        assert_eq!(deadlines.not_before(99), 99);
        assert_eq!((deadlines.not_before(101), deadlines.not_before(99)), (101, 100));
    }
}
