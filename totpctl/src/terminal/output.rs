//! What is written: data to standard output, everything else to standard error.

use std::io::{self, IsTerminal, Write};

use comfy_table::{Table, presets};
use serde_json::Value;

use crate::error::Error;

/// Whether a person looks at the output.
pub(crate) fn is_terminal() -> bool {
    io::stdout().is_terminal()
}

/// Writes data.
pub(crate) fn data(text: &str) -> Result<(), Error> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    Ok(out.flush()?)
}

/// Writes one JSON object on a line.
pub(crate) fn json(value: &Value) -> Result<(), Error> {
    data(&format!("{value}\n"))
}

/// Writes a table: with a frame where a person looks at it, else in plain columns.
pub(crate) fn table(head: &[&str], rows: Vec<Vec<String>>) -> Result<(), Error> {
    let mut table = Table::new();
    table.load_style(if is_terminal() { presets::UTF8_FULL_CONDENSED } else { presets::NOTHING });
    table.set_header(head.iter().map(ToString::to_string)).add_rows(rows);
    let lines: Vec<_> = table.to_string().lines().map(|line| line.trim_end().to_owned()).collect();
    data(&format!("{}\n", lines.join("\n")))
}

/// Says something that is no data.
pub(crate) fn note(text: &str) {
    // There is nowhere left to say that standard error cannot be written.
    let _ = writeln!(io::stderr(), "{text}");
}

/// Says why a command failed.
pub(crate) fn print_error(failure: &Error) {
    match failure {
        Error::BrokenPipe => {}
        failure => note(&format!("totpctl: {failure}")),
    }
}

/// Seconds since 1970 as the local time, to the minute.
pub(crate) fn time(seconds: u64) -> String {
    local(seconds, "%Y-%m-%d %H:%M")
}

/// Seconds since 1970 as the local time, to the second.
pub(crate) fn moment(seconds: u64) -> String {
    local(seconds, "%Y-%m-%d %H:%M:%S")
}

/// Seconds since 1970 as the local time of that day, to the second.
pub(crate) fn time_of_day(seconds: u64) -> String {
    local(seconds, "%H:%M:%S")
}

fn local(seconds: u64, format: &str) -> String {
    i64::try_from(seconds)
        .ok()
        .and_then(|seconds| jiff::Timestamp::from_second(seconds).ok())
        .map(|time| time.to_zoned(jiff::tz::TimeZone::system()))
        .map_or_else(|| format!("@{seconds}"), |time| time.strftime(format).to_string())
}

/// `text` with everything escaped that could steer a terminal.
pub(crate) fn escape(text: &str) -> String {
    let escape_char =
        |c: char| if c.is_control() { c.escape_unicode().collect() } else { c.to_string() };
    text.chars().map(escape_char).collect()
}
