//! Changes lines in the text of a file.

use super::refusal::Refusal;
use crate::factor::FACTOR_FILE;
use crate::parse::{Directive, Kind, Line, parse_lines};

/// Returns the text of the file of a service, and its lines.
pub(super) fn own_lines(
    service: &str,
    read: &dyn Fn(&str) -> Option<String>,
) -> Result<(String, Vec<Line>), Refusal> {
    let text = read(service).ok_or(Refusal::NoStack)?;
    let own = parse_lines(&text).ok_or(Refusal::NoStack)?;
    Ok((text, own))
}

/// Returns the candidates for the text with `new_line` after `place`. If `place` includes a file, a
/// second candidate swaps `include` and `substack`. The reason: `die` and `done` end only a
/// substack, but with `include` they end the whole stack.
pub(super) fn candidates(text: &str, place: &Line, new_line: &str) -> Vec<String> {
    let mut candidates = vec![with_line(text, place, new_line)];
    let Directive::Include { substack, .. } = place.directive else { return candidates };
    let (from, to) = if substack { (SUBSTACK, INCLUDE) } else { (INCLUDE, SUBSTACK) };
    let mut swapped = String::with_capacity(text.len() + 32);
    for (index, line) in text.split_inclusive('\n').enumerate() {
        let (bare, end) = line.strip_suffix('\n').map_or((line, ""), |bare| (bare, "\n"));
        let is_place = index + 1 == place.number && place.number == place.last;
        match is_place && !bare.contains('#') && bare.contains(from.word) {
            true => {
                let other = bare.replacen(from.word, to.word, 1);
                swapped.push_str(&format!("{other}{}{end}", from.mark));
            }
            false => swapped.push_str(line),
        }
    }
    if swapped != text {
        candidates.push(with_line(&swapped, place, new_line));
    }
    candidates
}

fn with_line(text: &str, place: &Line, new_line: &str) -> String {
    let mut changed = String::with_capacity(text.len() + new_line.len() + 1);
    for (index, line) in text.split_inclusive('\n').enumerate() {
        changed.push_str(line);
        if index + 1 == place.last {
            match line.ends_with('\n') {
                true => changed.push_str(new_line),
                // What somebody appends to the file must not become a part of this line.
                false => {
                    changed.extend(["\n", new_line.trim_end_matches('\n'), UNENDED, "\n"]);
                }
            }
        }
    }
    changed
}

/// Returns the text with `new_line` before `place`.
pub(super) fn before(text: &str, place: &Line, new_line: &str) -> String {
    let mut changed = String::with_capacity(text.len() + new_line.len());
    for (index, line) in text.split_inclusive('\n').enumerate() {
        if index + 1 == place.number {
            changed.push_str(new_line);
        }
        changed.push_str(line);
    }
    changed
}

/// Returns a line as it was before [`candidates`] swapped `include` and `substack`.
pub(super) fn restore_include(line: &str) -> String {
    for (before, now) in [(INCLUDE, SUBSTACK), (SUBSTACK, INCLUDE)] {
        if let Some((changed, rest)) = line.split_once(before.mark) {
            return changed.trim_end().replacen(now.word, before.word, 1) + rest;
        }
    }
    line.to_owned()
}

/// Returns the text with other options in the lines of the second factor.
pub(super) fn with_args(text: &str, own: &[Line], args: &[String]) -> String {
    let mut changed = String::with_capacity(text.len());
    for (index, raw) in text.split_inclusive('\n').enumerate() {
        let number = index + 1;
        let contains = |line: &&Line| line.number <= number && number <= line.last;
        match own.iter().find(contains).map(|line| (line, &line.directive)) {
            Some((found, Directive::Module { kind: Kind::Auth, word, path, args: old, .. }))
                if is_factor_line(&found.directive) && old != args =>
            {
                if found.number == number {
                    changed.push_str(&line("auth   ", word, path, args));
                }
            }
            _ => changed.push_str(raw),
        }
    }
    changed
}

/// Returns a line. `kind` has seven columns.
pub(super) fn line(kind: &str, word: &str, path: &str, args: &[String]) -> String {
    let word = if word.contains('=') { format!("[{word}]") } else { word.to_owned() };
    let mut line = format!("{kind} {word}    {path}");
    for arg in args {
        let blank = arg.contains([' ', '\t']);
        line.push_str(&if blank { format!(" [{arg}]") } else { format!(" {arg}") });
    }
    line.push('\n');
    line
}

/// Reports whether it is a line of the second factor.
pub(super) fn is_factor_line(directive: &Directive) -> bool {
    matches!(directive, Directive::Module { path, .. } if path.rsplit('/').next() == Some(FACTOR_FILE))
}

/// A way to include a file.
#[derive(Clone, Copy)]
struct Inclusion {
    word: &'static str,
    /// Marks a line that had this word before.
    mark: &'static str,
}

/// The mark of a line of the module behind a line that had no end. `disable` then gives the file
/// back byte for byte.
pub(super) const UNENDED: &str = " # totpctl: no newline before";
const INCLUDE: Inclusion = Inclusion { word: "include", mark: " # totpctl: was include" };
const SUBSTACK: Inclusion = Inclusion { word: "substack", mark: " # totpctl: was substack" };
