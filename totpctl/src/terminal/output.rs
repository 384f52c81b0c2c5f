//! Writes data to standard output, and everything else to standard error.

use std::fs::{self, File};
use std::io::{self, IsTerminal, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt as _;

use comfy_table::{ContentArrangement, Table, presets};
use serde_json::{Map, Value};
use terminal_size::{Width, terminal_size_of};
use totpd_journal::escape::is_unsafe_to_print;

use crate::error::Error;
use crate::terminal::wrap::fit;

/// Reports whether the output is a terminal.
pub(crate) fn is_terminal() -> bool {
    io::stdout().is_terminal()
}

/// Writes data.
pub(crate) fn data(text: &str) -> Result<(), Error> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    Ok(out.flush()?)
}

/// Writes one JSON object on a line, with the number of the schema as its first key. A terminal may
/// show it: characters that are unsafe to print are escaped.
pub(crate) fn json(object: &Value) -> Result<(), Error> {
    data(&format!("{}\n", printable(&with_schema(object).to_string())))
}

/// Writes the beginning of a JSON object: all but its closing brace. [`json_end`] writes the rest.
pub(crate) fn json_start(object: &Value) -> Result<(), Error> {
    let text = printable(&with_schema(object).to_string());
    data(text.strip_suffix('}').unwrap_or(&text))
}

/// Writes the rest of the object of [`json_start`]. `object` has at least one key.
pub(crate) fn json_end(object: &Value) -> Result<(), Error> {
    let text = printable(&object.to_string());
    data(&format!(",{}\n", text.strip_prefix('{').unwrap_or(&text)))
}

/// Refuses a standard output that is /dev/null, or was closed at the start: the runtime of Rust
/// then opens /dev/null. `consequence` completes the sentence.
pub(crate) fn check_is_read(consequence: &str) -> Result<(), Error> {
    let is_null = || {
        let out = File::from(io::stdout().as_fd().try_clone_to_owned()?).metadata()?;
        Ok::<_, io::Error>(out.rdev() == fs::metadata("/dev/null")?.rdev() && out.rdev() != 0)
    };
    match is_null() {
        Ok(true) => Err(Error::refused(format!(
            "standard output is closed or /dev/null: {consequence}; nothing is changed"
        ))),
        // An output that cannot be looked at may be written to nevertheless.
        Ok(false) | Err(_) => Ok(()),
    }
}

/// Returns JSON with each character that is unsafe to print as `\uXXXX`. Such characters are in
/// strings alone.
fn printable(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for c in json.chars() {
        match is_unsafe_to_print(c) {
            true => {
                let units = c.encode_utf16(&mut [0; 2]).to_vec();
                text.extend(units.iter().map(|unit| format!("\\u{unit:04x}")));
            }
            false => text.push(c),
        }
    }
    text
}

fn with_schema(object: &Value) -> Value {
    let entries = object.as_object().into_iter().flatten();
    let entries = entries.map(|(key, value)| (key.clone(), value.clone()));
    [("schema".to_owned(), SCHEMA.into())].into_iter().chain(entries).collect::<Map<_, _>>().into()
}

/// Returns the keys of an object that its definition in the schema lacks, and the keys that the
/// definition requires and the object lacks.
#[cfg(test)]
pub(crate) fn undescribed_keys(definition: &str, object: &Value) -> Vec<String> {
    let schema = include_str!("../../../docs/reference/totpctl.schema.json");
    let schema: Value = serde_json::from_str(schema).unwrap();
    let definition = &schema["$defs"][definition];
    let object = with_schema(object);
    let keys = object.as_object().into_iter().flat_map(Map::keys);
    let unknown = keys.filter(|key| definition["properties"].get(key.as_str()).is_none());
    let required = definition["required"].as_array().into_iter().flatten();
    let required = required.filter_map(Value::as_str);
    let missing = required.filter(|key| object.get(key).is_none());
    unknown.cloned().chain(missing.map(ToOwned::to_owned)).collect()
}

/// Writes lines of data for people. A terminal gets them wrapped at words.
pub(crate) fn lines(text: &str) -> Result<(), Error> {
    match is_terminal() {
        true => data(&fit(text, columns())),
        false => data(text),
    }
}

/// Writes a table: with a frame that fits a terminal, otherwise in plain columns.
pub(crate) fn table(head: &[&str], rows: Vec<Vec<String>>) -> Result<(), Error> {
    let mut table = Table::new();
    if is_terminal() {
        let width = u16::try_from(columns()).unwrap_or(u16::MAX);
        table.load_style(presets::UTF8_FULL_CONDENSED);
        table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
    } else {
        table.load_style(presets::NOTHING);
    }
    table.set_header(head.iter().map(ToString::to_string)).add_rows(rows);
    let lines: Vec<_> = table.to_string().lines().map(|line| line.trim_end().to_owned()).collect();
    data(&format!("{}\n", lines.join("\n")))
}

/// Writes a message for people. A terminal gets it wrapped at words.
pub(crate) fn note(text: &str) {
    let message = format!("{text}\n");
    note_whole(&match io::stderr().is_terminal() {
        true => fit(&message, width(io::stderr())),
        false => message,
    });
}

/// Writes a message whose lines stay as they are, such as those of a file.
pub(crate) fn note_whole(text: &str) {
    // An error of standard error cannot be reported anywhere.
    let _ = io::stderr().write_all(text.as_bytes());
}

/// Returns the columns for lines of data.
pub(crate) fn columns() -> usize {
    width(io::stdout())
}

/// Returns the columns of a terminal. Lines of text that are longer than 100 columns are hard to
/// read, so the result is at most 100.
fn width(terminal: impl AsFd) -> usize {
    let columns = terminal_size_of(terminal).map_or(DEFAULT_COLUMNS, |(Width(columns), _)| columns);
    usize::from(columns).min(MAX_COLUMNS)
}

/// Writes why a command failed, for programs too if `as_json`.
pub(crate) fn print_error(error: &Error, as_json: bool) {
    if let Some(object) = error.json().filter(|_| as_json) {
        // The sentence on standard error and the exit status tell the failure too.
        let _ = json(&object);
    }
    match error {
        Error::BrokenPipe | Error::Differs => {}
        error => note(&format!("totpctl: {error}")),
    }
}

/// Formats a duration: seconds below 2 minutes, otherwise minutes, rounded up.
pub(crate) fn duration(seconds: u64) -> String {
    match seconds {
        0..120 => format!("{seconds} s"),
        _ => format!("{} min", seconds.div_ceil(60)),
    }
}

/// Formats a number with its noun, which takes an `s` unless the number is 1.
pub(crate) fn count(number: u64, noun: &str) -> String {
    match number {
        1 => format!("1 {noun}"),
        _ => format!("{number} {noun}s"),
    }
}

/// The number of the format of all objects (`docs/reference/json.md`). A key that is removed or
/// changes its meaning raises it; a new key does not.
const SCHEMA: u32 = 1;

/// Formats names: the first ten, and the number of all.
pub(crate) fn names(names: &[String]) -> String {
    match names.len() {
        0 => "none".to_owned(),
        count => format!("{} ({count})", first_names(names)),
    }
}

/// Formats the first ten names, and how many more there are.
pub(crate) fn first_names(names: &[String]) -> String {
    match join_first(names, MAX_NAMES) {
        (named, 0) => named,
        (named, more) => format!("{named}, and {more} more"),
    }
}

/// Returns the names that [`names`] leaves out, if any.
pub(crate) fn unnamed(names: &[String]) -> Option<String> {
    names.get(MAX_NAMES..).filter(|rest| !rest.is_empty()).map(|rest| rest.join("\n"))
}

/// Joins the first names, and returns the number of the others too.
pub(crate) fn join_first(names: &[String], max: usize) -> (String, usize) {
    let (named, others) = names.split_at(max.min(names.len()));
    (named.join(", "), others.len())
}

const MAX_NAMES: usize = 10;
/// The columns of a terminal that does not tell its size.
const DEFAULT_COLUMNS: u16 = 80;
const MAX_COLUMNS: usize = 100;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_object_begins_with_the_schema() {
        let object = json!({ "user": "alice", "changed": true });
        let expected = r#"{"schema":1,"user":"alice","changed":true}"#;
        assert_eq!(with_schema(&object).to_string(), expected);
    }

    #[test]
    fn json_that_a_terminal_shows_is_safe_and_the_same() {
        let hostile =
            "a\n\u{1b}[2J\u{7f}\u{9b}2J\u{202e}\u{2066}\u{200b}\u{e0041}\u{ad}\u{fe0f}é\"\\";
        let object = json!({ hostile: [hostile, { "x": hostile }] });
        let text = printable(&object.to_string());
        assert!(!text.chars().any(is_unsafe_to_print), "{text:?}");
        assert!(text.contains(r"\u007f\u009b2J\u202e\u2066\u200b\udb40\udc41\u00ad"), "{text}");
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), object);
        assert_eq!(printable(r#"{"user":"alice é"}"#), r#"{"user":"alice é"}"#);
    }

    #[test]
    fn ten_names_are_listed_and_all_are_counted() {
        let list = |count: usize| (0..count).map(|i| format!("u{i}")).collect::<Vec<_>>();
        for (count, expected) in [
            (0, "none"),
            (1, "u0 (1)"),
            (10, "u0, u1, u2, u3, u4, u5, u6, u7, u8, u9 (10)"),
            (12, "u0, u1, u2, u3, u4, u5, u6, u7, u8, u9, and 2 more (12)"),
        ] {
            assert_eq!(names(&list(count)), expected);
        }
    }

    #[test]
    fn one_user_is_singular() {
        for (number, expected) in [(0, "0 users"), (1, "1 user"), (2, "2 users")] {
            assert_eq!(count(number, "user"), expected);
        }
    }

    #[test]
    fn a_duration_is_in_seconds_below_two_minutes() {
        for (seconds, expected) in [(0, "0 s"), (119, "119 s"), (120, "2 min"), (121, "3 min")] {
            assert_eq!(duration(seconds), expected);
        }
    }
}
