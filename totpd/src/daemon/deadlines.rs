//! The deadlines of the rules that passed. One that passed stays passed if somebody sets the clock
//! back, so each is written down.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use totpd_core::policy::{Policy, RuleName};
use totpd_journal::{Entry, Priority};
use totpd_store::mutex::lock;

/// The deadlines of the rules, and which of them passed.
#[derive(Debug, Default)]
pub(crate) struct Deadlines {
    /// The rules of each.
    all: BTreeMap<u64, Vec<RuleName>>,
    passed: Mutex<Passed>,
    file: Option<PathBuf>,
}

/// What is known of the deadlines that passed.
#[derive(Debug, Default)]
struct Passed {
    dates: BTreeSet<u64>,
    /// The flag that the file does not say all of it, because it could not be written.
    is_unsaved: bool,
    /// The flag that the journal says so.
    is_reported: bool,
    /// The flag that nobody knows what the file says. Then all deadlines count as passed, and the
    /// file stays as it is.
    is_unknown: bool,
}

impl Deadlines {
    /// Returns the deadlines of `policy`, with what `file` says of them. Without a file, they are
    /// kept in memory.
    pub(crate) fn open(policy: &Policy, file: Option<&Path>) -> Self {
        let mut all = BTreeMap::<_, Vec<_>>::new();
        for (rule, deadline) in policy.deadlines() {
            all.entry(deadline.0).or_default().push(rule.clone());
        }
        if all.is_empty() {
            return Self::default();
        }
        let passed = file.map_or_else(|| Ok(Passed::default()), read).unwrap_or_else(|error| {
            let message = format!(
                "cannot read which deadlines of rules passed: {error}; all of them count as passed \
                 until that is repaired and totpd restarted"
            );
            Entry::new(Priority::Error, message).write();
            Passed { is_unknown: true, ..Passed::default() }
        });
        Self { all, passed: Mutex::new(passed), file: file.map(Path::to_path_buf) }
    }

    /// Returns `now` (seconds since 1970), or a later deadline that passed before. Writes down the
    /// deadlines that passed by `now`. What could not be written is tried again each time.
    pub(crate) fn not_before(&self, now: u64) -> u64 {
        let Some((last, _)) = self.all.last_key_value() else { return now };
        let mut passed = lock(&self.passed);
        if passed.is_unknown {
            return now.max(*last);
        }
        for (date, rules) in self.all.range(..=now) {
            if passed.dates.insert(*date) {
                passed.is_unsaved = self.file.is_some();
                rules.iter().for_each(|rule| passed_entry(rule).write());
            }
        }
        self.save(&mut passed);
        let latest = passed.dates.range(..=last).rev().find(|date| self.all.contains_key(date));
        latest.map_or(now, |latest| now.max(*latest))
    }

    fn save(&self, passed: &mut Passed) {
        let Some(file) = self.file.as_ref().filter(|_| passed.is_unsaved) else { return };
        match write(file, &passed.dates) {
            Ok(()) => (passed.is_unsaved, passed.is_reported) = (false, false),
            Err(_) if passed.is_reported => {}
            Err(error) => {
                passed.is_reported = true;
                let message = format!(
                    "cannot write down that a deadline of a rule passed: {error}; each login \
                     tries again"
                );
                Entry::new(Priority::Error, message).write();
            }
        }
    }
}

/// Returns the record of a deadline that passed.
fn passed_entry(rule: &RuleName) -> Entry {
    let rule = rule.as_str();
    let message = format!(
        "a deadline of enroll-by passed: the rule asks everybody for a code, also if the clock goes \
         back (rule {rule})"
    );
    Entry::new(Priority::Notice, message).with("TOTP_RULE", rule)
}

/// Reads a deadline a line.
fn read(file: &Path) -> io::Result<Passed> {
    let text = match fs::read_to_string(file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Passed::default()),
        text => text?,
    };
    let damaged = || io::Error::new(io::ErrorKind::InvalidData, "a line of it is no deadline");
    // The daemon writes at least one line, each of them with its end.
    let lines = text.strip_suffix('\n').ok_or_else(damaged)?;
    let dates: Result<_, _> = lines.split('\n').map(str::parse).collect();
    Ok(Passed { dates: dates.map_err(|_| damaged())?, ..Passed::default() })
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
    use totpd_core::policy::{Deadline, Rule, Then};

    use super::*;

    fn policy(deadlines: &[u64]) -> Policy {
        let name = RuleName::parse("rule").unwrap();
        let (users, groups, services, from) = (None, None, None, None);
        let rule = Rule { name, users, groups, services, from, then: Then::Skip };
        let rule = |date: &u64| Rule { then: Then::EnrollBy(Deadline(*date)), ..rule.clone() };
        Policy::new(deadlines.iter().map(rule).collect())
    }

    #[test]
    fn the_record_of_a_deadline_that_passed_names_its_rule() {
        let entry = passed_entry(&RuleName::parse("roll-out 1").unwrap());
        let text = String::from_utf8(entry.native()).unwrap();
        let fields: Vec<_> = text.lines().collect();
        assert!(fields.contains(&"TOTP_RULE=roll-out 1"), "{fields:?}");
        assert!(fields.iter().any(|line| line.ends_with(" (rule roll-out 1)")), "{fields:?}");
    }

    #[test]
    fn two_rules_may_have_one_deadline() {
        let mut rules: Vec<_> = policy(&[100, 200]).rules().cloned().collect();
        rules.push(Rule { name: RuleName::parse("other").unwrap(), ..rules[0].clone() });
        let deadlines = Deadlines::open(&Policy::new(rules), None);
        let names = |date| deadlines.all[&date].iter().map(RuleName::as_str).collect::<Vec<_>>();
        assert_eq!((names(100), names(200)), (vec!["rule", "other"], vec!["rule"]));
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
    }

    #[test]
    fn what_cannot_be_written_is_kept_and_tried_again() {
        let folder = tempfile::tempdir().unwrap();
        let state = folder.path().join("state");
        let file = state.join("deadlines");
        let open = || Deadlines::open(&policy(&[100, 200]), Some(&file));
        let deadlines = open();
        assert_eq!((deadlines.not_before(101), deadlines.not_before(99)), (101, 100));
        assert_eq!(open().not_before(50), 50, "not written");
        fs::create_dir(&state).unwrap();
        assert_eq!(deadlines.not_before(99), 100);
        assert_eq!(open().not_before(50), 100, "written at last");
    }

    #[test]
    fn with_a_file_that_nobody_can_read_all_deadlines_passed() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("deadlines");
        let open = |file: &Path| Deadlines::open(&policy(&[100, 200]), Some(file));
        assert_eq!(open(folder.path()).not_before(50), 200, "a folder");
        for text in ["", "\n", "10", "100\n20", "100\nx\n", "100\n\n", "-1\n", "100 \n", "\0\0\n"] {
            fs::write(&file, text).unwrap();
            let deadlines = open(&file);
            assert_eq!(
                (deadlines.not_before(50), deadlines.not_before(300)),
                (200, 300),
                "{text:?}"
            );
            assert_eq!(fs::read_to_string(&file).unwrap(), text, "it stays for a person to see");
        }
        fs::write(&file, "100\n").unwrap();
        assert_eq!(open(&file).not_before(50), 100);
    }
}
