//! The text of a file, and the lines of it that are changed.

use crate::line::{Kind, Line, Says};

/// The text with `ours` behind `place`: as it is, and with an `include` that what is in it may end made a
/// `substack`, which ends no more than itself.
pub(super) fn around(text: &str, place: &Line, ours: &str) -> Vec<String> {
    let put = |text: &str| {
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
    };
    let mut changed = vec![put(text)];
    if let Says::Include { substack: false, .. } = place.says
        && place.number == place.last
    {
        let mut with_substack = String::with_capacity(text.len() + 32);
        for (index, line) in text.split_inclusive('\n').enumerate() {
            let (bare, end) = line.strip_suffix('\n').map_or((line, ""), |bare| (bare, "\n"));
            match index + 1 == place.number && !bare.contains('#') {
                true => {
                    let substack = bare.replacen("include", "substack", 1);
                    with_substack.push_str(&format!("{substack}{WAS_INCLUDE}{end}"));
                }
                false => with_substack.push_str(line),
            }
        }
        if with_substack != text {
            changed.push(put(&with_substack));
        }
    }
    changed
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

/// Behind a line that was an `include` before, so that it can be one again.
pub(super) const WAS_INCLUDE: &str = " # totpctl: was include";
