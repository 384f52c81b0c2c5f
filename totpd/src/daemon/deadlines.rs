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

/// Which deadlines passed. A change of the rules leaves what is known of a deadline.
#[derive(Debug, Default)]
pub(crate) struct Deadlines {
    passed: Mutex<Passed>,
    file: Option<PathBuf>,
}

/// The deadlines of rules, and the rules of each.
#[derive(Debug, Default)]
pub(crate) struct DatedRules(BTreeMap<u64, Vec<RuleName>>);

/// What is known of the deadlines that passed.
#[derive(Debug, Default)]
struct Passed {
    dates: BTreeSet<u64>,
    /// The flag that the file was read. Without a deadline in the rules, nobody needs it.
    is_read: bool,
    /// The flag that the file does not say all of it, because it could not be written.
    is_unsaved: bool,
    /// The flag that the journal says so.
    is_reported: bool,
    /// The flag that nobody knows what the file says. Then all deadlines count as passed, and the
    /// file stays as it is.
    is_unknown: bool,
}

impl DatedRules {
    /// Returns the deadlines of `policy`.
    pub(crate) fn of(policy: &Policy) -> Self {
        let mut all = BTreeMap::<_, Vec<_>>::new();
        for (rule, deadline) in policy.deadlines() {
            all.entry(deadline.0).or_default().push(rule.clone());
        }
        Self(all)
    }
}

impl Deadlines {
    /// Returns the deadlines that passed, as `file` says it. Without a file, they are kept in
    /// memory.
    pub(crate) fn in_file(file: Option<&Path>) -> Self {
        Self { passed: Mutex::default(), file: file.map(Path::to_path_buf) }
    }

    /// Returns `now` (seconds since 1970), or a later deadline of `all` that passed before. Writes
    /// down the deadlines that passed by `now`. What could not be written is tried again each time.
    pub(crate) fn not_before(&self, all: &DatedRules, now: u64) -> u64 {
        if all.0.is_empty() {
            return now;
        }
        let mut passed = lock(&self.passed);
        passed.read(self.file.as_deref());
        if !passed.is_unknown {
            for (date, rules) in all.0.range(..=now) {
                if passed.dates.insert(*date) {
                    passed.is_unsaved = self.file.is_some();
                    rules.iter().for_each(|rule| passed_entry(rule).write());
                }
            }
            self.save(&mut passed);
        }
        passed.not_before(all, now)
    }

    /// Returns what [`Deadlines::not_before`] returns when the clock shows `time`. Writes nothing,
    /// because that time may never come.
    pub(crate) fn at(&self, all: &DatedRules, time: u64) -> u64 {
        if all.0.is_empty() {
            return time;
        }
        let mut passed = lock(&self.passed);
        passed.read(self.file.as_deref());
        passed.not_before(all, time)
    }

    /// Has the file read again if nobody knew what it says.
    pub(crate) fn retry(&self) {
        let mut passed = lock(&self.passed);
        if passed.is_unknown {
            (passed.is_unknown, passed.is_read) = (false, false);
        }
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

impl Passed {
    /// Reads the file, unless it was read before. What was known before stays known.
    fn read(&mut self, file: Option<&Path>) {
        if std::mem::replace(&mut self.is_read, true) {
            return;
        }
        match file.map_or_else(|| Ok(BTreeSet::new()), read) {
            Ok(dates) => self.dates.extend(dates),
            Err(error) => {
                self.is_unknown = true;
                let message = format!(
                    "cannot read which deadlines of rules passed: {error}; all of them count as \
                     passed until that is repaired and totpd reloaded"
                );
                Entry::new(Priority::Error, message).write();
            }
        }
    }

    fn not_before(&self, all: &DatedRules, now: u64) -> u64 {
        let latest = match self.is_unknown {
            true => all.0.last_key_value().map(|(date, _)| date),
            false => self.dates.iter().rev().find(|date| all.0.contains_key(date)),
        };
        latest.map_or(now, |latest| now.max(*latest))
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
fn read(file: &Path) -> io::Result<BTreeSet<u64>> {
    let text = match fs::read_to_string(file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(BTreeSet::new()),
        text => text?,
    };
    let damaged = || io::Error::new(io::ErrorKind::InvalidData, "a line of it is no deadline");
    // The daemon writes at least one line, each of them with its end.
    let lines = text.strip_suffix('\n').ok_or_else(damaged)?;
    let dates: Result<_, _> = lines.split('\n').map(str::parse).collect();
    dates.map_err(|_| damaged())
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

    fn dated(deadlines: &[u64]) -> DatedRules {
        DatedRules::of(&policy(deadlines))
    }

    /// The deadlines of some rules.
    struct Opened {
        deadlines: Deadlines,
        all: DatedRules,
    }

    fn open(all: &[u64], file: &Path) -> Opened {
        Opened { deadlines: Deadlines::in_file(Some(file)), all: dated(all) }
    }

    impl Opened {
        fn not_before(&self, now: u64) -> u64 {
            let seen = self.deadlines.at(&self.all, now);
            let told = self.deadlines.not_before(&self.all, now);
            assert_eq!(seen, told, "a look says the same");
            told
        }
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
        let all = DatedRules::of(&Policy::new(rules));
        let names = |date| all.0[&date].iter().map(RuleName::as_str).collect::<Vec<_>>();
        assert_eq!((names(100), names(200)), (vec!["rule", "other"], vec!["rule"]));
    }

    #[test]
    fn a_deadline_that_passed_stays_passed_over_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("deadlines");
        let open = |dates: &[u64]| open(dates, &file);
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
        let deadlines = open(&[], folder.path());
        assert_eq!(deadlines.not_before(50), 50);
    }

    #[test]
    fn what_cannot_be_written_is_kept_and_tried_again() {
        let folder = tempfile::tempdir().unwrap();
        let state = folder.path().join("state");
        let file = state.join("deadlines");
        let open = || open(&[100, 200], &file);
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
        let open = |file: &Path| open(&[100, 200], file);
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

    #[test]
    fn a_look_at_a_time_to_come_makes_no_deadline_pass() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("deadlines");
        let Opened { deadlines, all } = open(&[100, 200], &file);
        assert_eq!(deadlines.at(&all, 150), 150);
        assert_eq!((deadlines.not_before(&all, 50), file.exists()), (50, false));
    }

    #[test]
    fn what_passed_stays_passed_while_the_rules_change() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("deadlines");
        let deadlines = Deadlines::in_file(Some(&file));
        let of = |dates: &[u64], now| deadlines.not_before(&dated(dates), now);
        assert_eq!(of(&[100], 120), 120);
        assert_eq!(of(&[200], 50), 50, "another date");
        assert_eq!(of(&[], 50), 50);
        assert_eq!(of(&[100, 200], 50), 100, "the first one again");
        fs::write(&file, "damaged").unwrap();
        deadlines.retry();
        assert_eq!(of(&[100, 200], 50), 100, "it was read");
        let unread = Deadlines::in_file(Some(&file));
        let all = dated(&[100, 200]);
        assert_eq!(unread.not_before(&all, 50), 200);
        fs::write(&file, "100\n").unwrap();
        assert_eq!(unread.not_before(&all, 50), 200, "until a reload");
        unread.retry();
        assert_eq!(unread.not_before(&all, 50), 100);
    }
}
