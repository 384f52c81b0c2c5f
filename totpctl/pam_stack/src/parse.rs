//! Parses a file in `/etc/pam.d` as libpam does (pam_handlers.c of Linux-PAM, with the `@include`
//! of Debian).

use std::borrow::Cow;

use crate::control::Control;

/// The management group of a line.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// `account`
    Account,
    /// `auth`
    Auth,
    /// `password`
    Password,
    /// `session`
    Session,
}

impl Kind {
    fn parse(word: &str) -> Option<Self> {
        [
            ("account", Self::Account),
            ("auth", Self::Auth),
            ("password", Self::Password),
            ("session", Self::Session),
        ]
        .into_iter()
        .find_map(|(name, kind)| word.eq_ignore_ascii_case(name).then_some(kind))
    }
}

/// A line that is neither empty nor a comment.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Line {
    /// Its number in the file, from 1. A continued line has the number of its first part.
    pub number: usize,
    /// The number of its last part, which differs only if the line is continued.
    pub last: usize,
    /// Its content.
    pub directive: Directive,
}

/// The content of a line.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Directive {
    /// `@include FILE`: inserts all lines of another file.
    IncludeAll(String),
    /// `include FILE` or `substack FILE`: inserts the lines of one kind.
    Include {
        /// The kind of the inserted lines.
        kind: Kind,
        /// The file; empty if the line names none.
        file: String,
        /// True if `die` and `done` in the file end only the inserted lines.
        substack: bool,
    },
    /// A module.
    Module {
        /// The management group.
        kind: Kind,
        /// The effect of each result.
        control: Control,
        /// The control word, or the text in brackets, as it was written.
        word: String,
        /// Its file.
        path: String,
        /// Its options.
        args: Vec<String>,
    },
    /// A line that always fails. If its kind cannot be read, it fails for every kind.
    Malformed {
        /// The management group, if it can be read.
        kind: Option<Kind>,
        /// The effect of its failure.
        control: Control,
        /// The fault of the line.
        reason: &'static str,
    },
}

/// Returns the lines of a file, or nothing if its last line is unfinished: libpam rejects such a
/// file.
#[must_use]
pub fn parse_lines(text: &str) -> Option<Vec<Line>> {
    lines(text, None)
}

/// Returns the lines of one kind, and those that include all lines of another file or have no kind
/// that can be read. Otherwise like [`parse_lines`].
pub(crate) fn parse_lines_of(text: &str, kind: Kind) -> Option<Vec<Line>> {
    lines(text, Some(kind))
}

fn lines(text: &str, only: Option<Kind>) -> Option<Vec<Line>> {
    let mut found = Vec::new();
    // A carriage return is part of the last word, as for libpam.
    let mut raw = text.strip_suffix('\n').unwrap_or(text).split('\n').enumerate();
    while let Some((number, first)) = raw.next() {
        let (mut whole, mut refused) = part(first);
        // libpam never continues an empty line or a comment.
        if whole.trim_matches(SPACE).is_empty() && !refused {
            continue;
        }
        let mut last = number;
        while refused {
            let (more_at, next) = raw.next()?;
            last = more_at;
            let (more, on) = part(next);
            whole.to_mut().push_str(&more);
            refused = on;
        }
        if let Some(directive) = directive(&whole, only) {
            found.push(Line { number: number + 1, last: last + 1, directive });
        }
    }
    Some(found)
}

/// Returns a line without its comment, and whether the next line continues it.
fn part(line: &str) -> (Cow<'_, str>, bool) {
    let (bare, commented) = match line.split_once('#') {
        Some((before, _)) => (before, true),
        None => (line, false),
    };
    match bare.trim_end_matches(SPACE).strip_suffix('\\') {
        Some(before) if !commented => (format!("{before} ").into(), true),
        _ => (bare.into(), false),
    }
}

fn directive(line: &str, only: Option<Kind>) -> Option<Directive> {
    let mut words = Words(line);
    let first = words.next()?;
    if first.eq_ignore_ascii_case("@include") {
        return Some(Directive::IncludeAll(words.next()?.into_owned()));
    }
    let word = first.strip_prefix('-').unwrap_or(&first);
    let Some(kind) = Kind::parse(word) else {
        let control = words.next().map_or_else(Control::bad, |word| Control::parse(&word));
        return Some(Directive::Malformed {
            kind: None,
            control,
            reason: "the first word is not auth, account, password or session",
        });
    };
    if only.is_some_and(|only| only != kind) {
        return None;
    }
    let malformed =
        |control, reason| Some(Directive::Malformed { kind: Some(kind), control, reason });
    let Some(word) = words.next() else {
        return malformed(Control::bad(), "the control word is missing");
    };
    let substack = word.eq_ignore_ascii_case("substack");
    if substack || word.eq_ignore_ascii_case("include") {
        let file = words.next().unwrap_or_default().into_owned();
        return Some(Directive::Include { kind, file, substack });
    }
    let control = Control::parse(&word);
    let word = word.into_owned();
    match words.next() {
        None => malformed(control, "the module is missing"),
        Some(path) => {
            let (path, args) = (path.into_owned(), words.map(Cow::into_owned).collect());
            Some(Directive::Module { kind, control, word, path, args })
        }
    }
}

/// Splits a line at blanks, and keeps text in brackets together. In brackets, `\]` is a bracket
/// that does not end the text.
struct Words<'a>(&'a str);

impl<'a> Iterator for Words<'a> {
    type Item = Cow<'a, str>;

    fn next(&mut self) -> Option<Cow<'a, str>> {
        self.0 = self.0.trim_start_matches(SPACE);
        if self.0.is_empty() {
            return None;
        }
        if let Some(inside) = self.0.strip_prefix('[') {
            let end = closing_bracket(inside);
            let (word, rest) = inside.split_at(end);
            self.0 = rest.strip_prefix(']').unwrap_or(rest);
            return Some(match word.contains("\\]") {
                true => word.replace("\\]", "]").into(),
                false => word.into(),
            });
        }
        let end = self.0.find(SPACE).unwrap_or(self.0.len());
        let (word, rest) = self.0.split_at(end);
        self.0 = rest;
        Some(word.into())
    }
}

/// Returns the index of the bracket that ends the text, or the end of the text.
fn closing_bracket(text: &str) -> usize {
    let mut from = 0;
    while let Some(found) = text.get(from..).and_then(|rest| rest.find(']')) {
        let at = from + found;
        if !text.get(from..at).is_some_and(|before| before.ends_with('\\')) {
            return at;
        }
        from = at + 1;
    }
    text.len()
}

const SPACE: [char; 3] = [' ', '\t', '\n'];

#[cfg(test)]
mod tests {
    use super::*;

    fn module(line: &str) -> (String, String, Vec<String>) {
        match parse_lines(line).unwrap().remove(0).directive {
            Directive::Module { word, path, args, .. } => (word, path, args),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn words_brackets_comments_and_continued_lines_are_parsed() {
        for (line, word, path, args) in [
            ("auth required pam_x.so", "required", "pam_x.so", &[][..]),
            (
                "-AUTH\t[a=b c]  pam_x.so a=1 [prompt=x y: ] # z",
                "a=b c",
                "pam_x.so",
                &["a=1", "prompt=x y: "],
            ),
            ("auth required \\\n  pam_x.so \\\n two", "required", "pam_x.so", &["two"]),
            (
                "auth required pam_x.so [prompt=Code [app\\]: ] [a\\\\]b] nullok",
                "required",
                "pam_x.so",
                &["prompt=Code [app]: ", "a\\]b", "nullok"],
            ),
            ("auth required pam_x.so [open\\]", "required", "pam_x.so", &["open]"]),
            ("auth required pam_x.so []\n", "required", "pam_x.so", &[""]),
            ("auth required pam_x.so two\r\n", "required", "pam_x.so", &["two\r"]),
        ] {
            let (found, at, options) = module(line);
            assert_eq!((found.as_str(), at.as_str()), (word, path), "{line}");
            assert_eq!(options, args, "{line}");
        }
        assert_eq!(parse_lines("\n# x\n  \n").unwrap(), []);
        assert_eq!(parse_lines("auth required pam_x.so \\"), None);
        let numbers = parse_lines("# one\nauth a b \\\nc\n\nauth d e\n").unwrap();
        let spans: Vec<_> = numbers.iter().map(|line| (line.number, line.last)).collect();
        assert_eq!(spans, [(2, 3), (5, 5)]);
    }

    #[test]
    fn a_malformed_line_always_fails() {
        for line in ["auht required pam_x.so", "auth", "auth required"] {
            assert!(
                matches!(parse_lines(line).unwrap()[0].directive, Directive::Malformed { .. }),
                "{line}"
            );
        }
    }
}
