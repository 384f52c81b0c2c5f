//! The text of a file, and the lines of it that are changed.

use crate::parse::{Kind, Line, Says};

/// The text with `ours` behind `place`: as it is, and with a file that stands there taken in the other way. What
/// ends a `substack` ends no more than itself, and what ends an `include` ends the whole stack.
pub(super) fn around(text: &str, place: &Line, ours: &str) -> Vec<String> {
    let mut changed = vec![with_line(text, place, ours)];
    let Says::Include { substack, .. } = place.says else { return changed };
    let (from, to) = if substack { (SUBSTACK, INCLUDE) } else { (INCLUDE, SUBSTACK) };
    let mut taken_in = String::with_capacity(text.len() + 32);
    for (index, line) in text.split_inclusive('\n').enumerate() {
        let (bare, end) = line.strip_suffix('\n').map_or((line, ""), |bare| (bare, "\n"));
        let is_it = index + 1 == place.number && place.number == place.last;
        match is_it && !bare.contains('#') && bare.contains(from.word) {
            true => {
                let other = bare.replacen(from.word, to.word, 1);
                taken_in.push_str(&format!("{other}{}{end}", from.mark));
            }
            false => taken_in.push_str(line),
        }
    }
    if taken_in != text {
        changed.push(with_line(&taken_in, place, ours));
    }
    changed
}

fn with_line(text: &str, place: &Line, ours: &str) -> String {
    let mut changed = String::with_capacity(text.len() + ours.len() + 1);
    for (index, line) in text.split_inclusive('\n').enumerate() {
        changed.push_str(line);
        if index + 1 == place.last {
            if !line.ends_with('\n') {
                changed.push('\n');
            }
            changed.push_str(ours);
        }
    }
    changed
}

/// A line as it was before [`around`] took its file in the other way.
pub(super) fn taken_in_as_before(line: &str) -> String {
    for (before, now) in [(INCLUDE, SUBSTACK), (SUBSTACK, INCLUDE)] {
        if let Some((changed, rest)) = line.split_once(before.mark) {
            return changed.trim_end().replacen(now.word, before.word, 1) + rest;
        }
    }
    line.to_owned()
}

/// The text with other options in the lines of the second factor.
pub(super) fn with_args(text: &str, own: &[Line], args: &[String]) -> String {
    let mut changed = String::with_capacity(text.len());
    for (index, raw) in text.split_inclusive('\n').enumerate() {
        let number = index + 1;
        let is_in = |line: &&Line| line.number <= number && number <= line.last;
        match own.iter().find(is_in).map(|line| (line, &line.says)) {
            Some((found, Says::Module { kind: Kind::Auth, word, path, args: old, .. }))
                if is_ours(&found.says) && old != args =>
            {
                if found.number == number {
                    changed.push_str(&line(word, path, args));
                }
            }
            _ => changed.push_str(raw),
        }
    }
    changed
}

/// A line for `auth`.
pub(super) fn line(word: &str, path: &str, args: &[String]) -> String {
    let word = if word.contains('=') { format!("[{word}]") } else { word.to_owned() };
    let mut line = format!("auth    {word}    {path}");
    for arg in args {
        let blank = arg.contains([' ', '\t']);
        line.push_str(&if blank { format!(" [{arg}]") } else { format!(" {arg}") });
    }
    line.push('\n');
    line
}

/// Whether it is a line of the second factor.
pub(super) fn is_ours(says: &Says) -> bool {
    matches!(says, Says::Module { path, .. } if path.rsplit('/').next() == Some("pam_totp.so"))
}

/// A way to take in a file.
#[derive(Clone, Copy)]
struct TakenIn {
    word: &'static str,
    /// Stands behind a line that was so before.
    mark: &'static str,
}

const INCLUDE: TakenIn = TakenIn { word: "include", mark: " # totpctl: was include" };
const SUBSTACK: TakenIn = TakenIn { word: "substack", mark: " # totpctl: was substack" };
