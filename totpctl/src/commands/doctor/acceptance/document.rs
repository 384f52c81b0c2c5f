//! The text of `/etc/totpd/accepted.toml`.

use jiff::civil::Date;
use serde::Deserialize;
use serde::de::Error as _;
use serde_json::{Map, Value, json};
use toml_edit::{ArrayOfTables, Datetime, DocumentMut, Item, Table, value};

use super::date::{from_toml, to_toml};
use super::refusal::refuses;
use super::subject::{Subject, place};
use crate::findings::finding::FindingId;

/// A finding that an administrator accepted.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(in super::super) struct Acceptance {
    pub(in super::super) id: FindingId,
    pub(in super::super) service: Option<String>,
    pub(in super::super) file: Option<String>,
    pub(in super::super) line: Option<usize>,
    pub(in super::super) module: Option<String>,
    /// The digest of [`Subject::sha256`]. An acceptance with a line always has one.
    pub(in super::super) sha256: Option<String>,
    /// Why the finding is meant.
    pub(in super::super) reason: String,
    /// Who accepted it.
    pub(in super::super) by: String,
    /// When it was accepted.
    pub(in super::super) date: Date,
    /// The last day on which it is accepted.
    pub(in super::super) until: Option<Date>,
}

impl Acceptance {
    /// Accepts a finding.
    pub(in super::super) fn new(
        subject: Subject,
        reason: &str,
        by: String,
        date: Date,
        until: Option<Date>,
    ) -> Self {
        let Subject { id, service, file, line, module, sha256 } = subject;
        let (reason, sha256) = (reason.to_owned(), Some(sha256));
        Self { id, service, file, line, module, sha256, reason, by, date, until }
    }

    /// Reports whether both are about the same place.
    pub(in super::super) fn has_place_of(&self, other: &Self) -> bool {
        (self.id, &self.service, &self.file, self.line)
            == (other.id, &other.service, &other.file, other.line)
    }

    /// Returns the JSON object in a finding: `reason`, `by`, `date` and `until` (null without a
    /// limit).
    pub(in super::super) fn json(&self) -> Value {
        json!({
            "reason": self.reason, "by": self.by, "date": self.date.to_string(),
            "until": self.until.map(|day| day.to_string()),
        })
    }

    /// Returns the id and the place, for people.
    pub(in super::super) fn place(&self) -> String {
        place(self.id, self.service.as_deref(), self.file.as_deref(), self.line)
    }

    /// Returns the remark behind the accepted finding.
    pub(in super::super) fn remark(&self) -> String {
        let until = self.until.map(|day| format!(", until {day}")).unwrap_or_default();
        format!("({}; by {} on {}{until})", self.reason, self.by, self.date)
    }

    /// Returns the JSON object of `accept --list`, with all keys of the file.
    pub(in super::super) fn entry(&self) -> Map<String, Value> {
        let object = json!({
            "id": self.id.token(), "service": self.service, "file": self.file, "line": self.line,
            "module": self.module, "sha256": self.sha256, "reason": self.reason, "by": self.by,
            "date": self.date.to_string(), "until": self.until.map(|day| day.to_string()),
        });
        object.as_object().cloned().unwrap_or_default()
    }

    fn table(&self) -> Table {
        let mut table = Table::new();
        table.insert("id", value(self.id.token()));
        let line = self.line.map(|line| i64::try_from(line).unwrap_or_default());
        let entries = [
            ("service", self.service.as_deref().map(value)),
            ("file", self.file.as_deref().map(value)),
            ("line", line.map(value)),
            ("module", self.module.as_deref().map(value)),
            ("sha256", self.sha256.as_deref().map(value)),
            ("reason", Some(value(&self.reason))),
            ("by", Some(value(&self.by))),
            ("date", Some(value(to_toml(self.date)))),
            ("until", self.until.map(|day| value(to_toml(day)))),
        ];
        for (key, item) in entries {
            if let Some(item) = item {
                table.insert(key, item);
            }
        }
        table
    }
}

/// Parses the file. It is all valid, or nothing of it counts.
///
/// # Errors
/// Returns the line, from 1, and the fault.
pub(in super::super) fn parse(text: &str) -> Result<Vec<Acceptance>, (usize, String)> {
    let file: File = toml_edit::de::from_str(text).map_err(|error| {
        let start = error.span().map_or(0, |span| span.start);
        let line = text.get(..start).unwrap_or_default().matches('\n').count() + 1;
        (line, error.message().to_owned())
    })?;
    Ok(file.accepted)
}

/// Returns the text with this acceptance, in the place of an earlier one of the same place.
/// Comments and order stay. `text` must be valid.
pub(in super::super) fn with(text: &str, acceptance: &Acceptance) -> String {
    edit(text, |accepted, present| {
        let old = present.iter().position(|other| other.has_place_of(acceptance));
        match old.and_then(|index| accepted.get_mut(index)) {
            Some(table) => {
                let (decor, position) = (table.decor().clone(), table.position());
                *table = acceptance.table();
                *table.decor_mut() = decor;
                table.set_position(position);
            }
            None => accepted.push(acceptance.table()),
        }
    })
}

/// Returns the text without this acceptance. `text` must be valid.
pub(in super::super) fn without(text: &str, acceptance: &Acceptance) -> String {
    edit(text, |accepted, present| {
        if let Some(index) = present.iter().position(|other| other == acceptance) {
            accepted.remove(index);
        }
    })
}

fn edit(text: &str, change: impl FnOnce(&mut ArrayOfTables, &[Acceptance])) -> String {
    let (Ok(mut document), Ok(present)) = (text.parse::<DocumentMut>(), parse(text)) else {
        return text.to_owned();
    };
    // The comments of a file without acceptances are its end. They stay before the first one.
    let comments = if present.is_empty() { document.trailing().clone() } else { "".into() };
    let item = document.entry("accepted").or_insert(Item::ArrayOfTables(ArrayOfTables::new()));
    // A list in brackets says the same, and is written as tables from now on.
    if let Some(array) = item.as_array().cloned() {
        let tables = array.iter().filter_map(|value| value.as_inline_table().cloned());
        *item = Item::ArrayOfTables(tables.map(|table| table.into_table()).collect());
    }
    let Some(accepted) = item.as_array_of_tables_mut() else { return text.to_owned() };
    change(accepted, &present);
    if present.is_empty()
        && let Some(first) = accepted.get_mut(0)
    {
        first.decor_mut().set_prefix(comments);
        document.set_trailing("");
    }
    document.to_string()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    accepted: Vec<Acceptance>,
}

/// An acceptance as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    #[serde(deserialize_with = "acceptable_id")]
    id: FindingId,
    service: Option<String>,
    file: Option<String>,
    line: Option<usize>,
    module: Option<String>,
    #[serde(default, deserialize_with = "digest")]
    sha256: Option<String>,
    #[serde(deserialize_with = "words")]
    reason: String,
    #[serde(deserialize_with = "words")]
    by: String,
    #[serde(deserialize_with = "day")]
    date: Date,
    #[serde(default, deserialize_with = "optional_day")]
    until: Option<Date>,
}

impl<'de> Deserialize<'de> for Acceptance {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Entry { id, service, file, line, module, sha256, reason, by, date, until } =
            Entry::deserialize(deserializer)?;
        if line.is_some() && file.is_none() {
            return Err(D::Error::custom("an acceptance with a line needs the file"));
        }
        if line.is_some() && sha256.is_none() {
            return Err(D::Error::custom(
                "an acceptance with a line needs sha256, the digest of its text",
            ));
        }
        Ok(Self { id, service, file, line, module, sha256, reason, by, date, until })
    }
}

fn acceptable_id<'de, D: serde::Deserializer<'de>>(value: D) -> Result<FindingId, D::Error> {
    let token = String::deserialize(value)?;
    let id = FindingId::parse(&token).ok_or_else(|| {
        D::Error::custom(format!(
            "id: there is no finding {token:?}; docs/reference/doctor.md has all"
        ))
    })?;
    match refuses(id) {
        Some(reason) => Err(D::Error::custom(format!("id: {token} cannot be accepted: {reason}"))),
        None => Ok(id),
    }
}

fn digest<'de, D: serde::Deserializer<'de>>(value: D) -> Result<Option<String>, D::Error> {
    let text = String::deserialize(value)?;
    let is_digest = text.len() == 64
        && text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
    is_digest.then_some(Some(text)).ok_or_else(|| {
        D::Error::custom("sha256: it is no SHA-256 in lower-case hexadecimal (64 digits)")
    })
}

fn words<'de, D: serde::Deserializer<'de>>(value: D) -> Result<String, D::Error> {
    let text = String::deserialize(value)?;
    check_words(&text).map_err(D::Error::custom)?;
    Ok(text)
}

/// Checks a reason, or the name of an author: some words on one line.
///
/// # Errors
/// Says what is wrong with the text.
pub(in super::super) fn check_words(text: &str) -> Result<(), &'static str> {
    if text.trim().is_empty() {
        return Err("it is empty; say why the finding is meant, and by whose decision");
    }
    if text.chars().any(char::is_control) || text.chars().count() > 200 {
        return Err("it is longer than 200 characters or one line");
    }
    Ok(())
}

fn day<'de, D: serde::Deserializer<'de>>(value: D) -> Result<Date, D::Error> {
    from_toml(&Datetime::deserialize(value)?).map_err(D::Error::custom)
}

fn optional_day<'de, D: serde::Deserializer<'de>>(value: D) -> Result<Option<Date>, D::Error> {
    day(value).map(Some)
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn acceptance(line: usize) -> Acceptance {
        let subject = Subject {
            id: FindingId::StackSkipsCode,
            service: Some("sshd".into()),
            file: Some("/etc/pam.d/sshd".into()),
            line: Some(line),
            module: Some("pam_yubico".into()),
            sha256: "0a".repeat(32),
        };
        let until = Some(date(2027, 1, 15));
        Acceptance::new(
            subject,
            "a \"YubiKey\" or a code",
            "alice".into(),
            date(2026, 11, 26),
            until,
        )
    }

    #[test]
    fn an_acceptance_survives_the_file() {
        let text = with("# Ours.\n", &acceptance(3));
        assert_eq!(parse(&text), Ok(vec![acceptance(3)]), "{text}");
        assert!(text.starts_with("# Ours.\n"), "{text}");
        assert!(text.contains("until = 2027-01-15\n"), "{text}");
        let two = with(&text, &acceptance(4));
        let changed = Acceptance { reason: "another".into(), ..acceptance(3) };
        let replaced = with(&two, &changed);
        assert_eq!(parse(&replaced), Ok(vec![changed.clone(), acceptance(4)]), "{replaced}");
        let one = without(&replaced, &changed);
        assert_eq!(parse(&one), Ok(vec![acceptance(4)]), "{one}");
        assert_eq!(parse(&without(&one, &acceptance(4))), Ok(Vec::new()));
        assert_eq!(parse(""), Ok(Vec::new()));
    }

    #[test]
    fn comments_between_acceptances_stay() {
        let two = with(&with("", &acceptance(3)), &acceptance(4));
        let commented = two.replacen("\n[[accepted]]", "\n# The second.\n[[accepted]]", 1);
        let changed = Acceptance { by: "bob".into(), ..acceptance(4) };
        assert!(with(&commented, &changed).contains("# The second."), "{commented}");
    }

    #[test]
    fn a_list_in_brackets_is_accepted_too() {
        let text = "accepted = [{ id = \"clock-unknown\", reason = \"r\", by = \"b\", date = 2026-01-02 }]\n";
        assert_eq!(parse(text).map(|all| all.len()), Ok(1));
        assert_eq!(parse(&with(text, &acceptance(3))).map(|all| all.len()), Ok(2));
    }

    #[test]
    fn a_fault_is_named_by_its_line() {
        let good = with("", &acceptance(3));
        for (old, new, line, expected) in [
            ("reason =", "reasons =", 8, "unknown field `reasons`"),
            ("2027-01-15", "\"2027-01-15\"", 11, "invalid type"),
            ("2027-01-15", "2027-01-15T10:00:00", 11, "is no date; write 2027-01-15"),
            ("stack-skips-code", "stack-skip-code", 2, "there is no finding"),
            (
                "stack-skips-code",
                "module-not-installed",
                2,
                "cannot be accepted: the module is missing",
            ),
            ("0a0a", "0A0A", 7, "no SHA-256"),
            ("alice", "", 9, "it is empty"),
            ("file = ", "# file = ", 1, "needs the file"),
            ("sha256 = ", "# sha256 = ", 1, "needs sha256"),
            ("by = ", "by = = ", 9, ""),
        ] {
            let bad = good.replacen(old, new, 1);
            let (found, message) = parse(&bad).unwrap_err();
            assert!(message.contains(expected), "{old} {new}: {message}");
            assert_eq!(found, line, "{old} {new}: {message}");
        }
    }
}
