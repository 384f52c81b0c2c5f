//! The lines of a file in `/etc/pam.d`, as libpam reads them (pam_handlers.c of Linux-PAM, and the
//! `@include` of Debian).

use crate::control::Control;

/// What a line asks for.
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
    fn named(word: &str) -> Option<Self> {
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

/// A line that says something.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Line {
    /// Its number in the file, from 1; of a continued one that of its first part.
    pub number: usize,
    /// The number of its last part: the same, unless it is continued.
    pub last: usize,
    /// What it says.
    pub says: Says,
}

/// What a line says.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Says {
    /// `@include FILE`: all lines of another file stand here.
    All(String),
    /// `include FILE` or `substack FILE`: those of this kind do.
    Include {
        /// Of which kind.
        kind: Kind,
        /// Which file; empty if it does not say.
        file: String,
        /// Whether what ends the stack in there ends no more than that.
        substack: bool,
    },
    /// A module.
    Module {
        /// For what.
        kind: Kind,
        /// What its results do.
        control: Control,
        /// The control word, or what stands in brackets, as it was written.
        word: String,
        /// Its file.
        path: String,
        /// Its options.
        args: Vec<String>,
    },
    /// Something that always fails. Where the kind cannot be read it is for whatever is asked.
    Wrong {
        /// For what.
        kind: Option<Kind>,
        /// What its failure does.
        control: Control,
        /// What is wrong.
        why: &'static str,
    },
}

/// The lines of a file; nothing where it ends in the middle of one, which libpam refuses altogether.
#[must_use]
pub fn lines(text: &str) -> Option<Vec<Line>> {
    let mut found = Vec::new();
    let mut raw = text.lines().enumerate();
    while let Some((number, first)) = raw.next() {
        let (mut whole, mut goes_on) = part(first);
        // A line that is empty or a comment is no line that could go on.
        if whole.trim_matches(SPACE).is_empty() && !goes_on {
            continue;
        }
        let mut last = number;
        while goes_on {
            let (more_at, next) = raw.next()?;
            last = more_at;
            let (more, on) = part(next);
            whole.push_str(&more);
            goes_on = on;
        }
        if let Some(says) = says(&whole) {
            found.push(Line { number: number + 1, last: last + 1, says });
        }
    }
    Some(found)
}

/// A line without its comment, and whether it goes on in the next.
fn part(line: &str) -> (String, bool) {
    let (bare, commented) = match line.split_once('#') {
        Some((before, _)) => (before, true),
        None => (line, false),
    };
    match bare.trim_end_matches(SPACE).strip_suffix('\\') {
        Some(before) if !commented => (format!("{before} "), true),
        _ => (bare.to_owned(), false),
    }
}

fn says(line: &str) -> Option<Says> {
    let mut words = Words(line);
    let first = words.next()?;
    if first == "@include" {
        return Some(Says::All(words.next()?.to_owned()));
    }
    let word = first.strip_prefix('-').unwrap_or(first);
    let Some(kind) = Kind::named(word) else {
        let control = words.next().map_or_else(Control::bad, Control::parse);
        return Some(Says::Wrong { kind: None, control, why: "the first word is no kind" });
    };
    let wrong = |control, why| Some(Says::Wrong { kind: Some(kind), control, why });
    let Some(word) = words.next() else {
        return wrong(Control::bad(), "there is no control word");
    };
    let substack = word.eq_ignore_ascii_case("substack");
    if substack || word.eq_ignore_ascii_case("include") {
        let file = words.next().unwrap_or_default().to_owned();
        return Some(Says::Include { kind, file, substack });
    }
    let control = Control::parse(word);
    let word = word.to_owned();
    match words.next() {
        None => wrong(control, "there is no module"),
        Some(path) => {
            let (path, args) = (path.to_owned(), words.map(ToOwned::to_owned).collect());
            Some(Says::Module { kind, control, word, path, args })
        }
    }
}

/// Words between blanks; brackets hold one together.
struct Words<'a>(&'a str);

impl<'a> Iterator for Words<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        self.0 = self.0.trim_start_matches(SPACE);
        if self.0.is_empty() {
            return None;
        }
        if let Some(inside) = self.0.strip_prefix('[') {
            let end = inside.find(']').unwrap_or(inside.len());
            let (word, rest) = inside.split_at(end);
            self.0 = rest.strip_prefix(']').unwrap_or(rest);
            return Some(word);
        }
        let end = self.0.find(SPACE).unwrap_or(self.0.len());
        let (word, rest) = self.0.split_at(end);
        self.0 = rest;
        Some(word)
    }
}

const SPACE: [char; 3] = [' ', '\t', '\n'];

#[cfg(test)]
mod tests {
    use super::*;

    fn module(line: &str) -> (String, String, Vec<String>) {
        match lines(line).unwrap().remove(0).says {
            Says::Module { word, path, args, .. } => (word, path, args),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn words_brackets_comments_and_continued_lines_are_read() {
        for (line, word, path, args) in [
            ("auth required pam_x.so", "required", "pam_x.so", &[][..]),
            (
                "-AUTH\t[a=b c]  pam_x.so a=1 [prompt=x y: ] # z",
                "a=b c",
                "pam_x.so",
                &["a=1", "prompt=x y: "],
            ),
            ("auth required \\\n  pam_x.so \\\n two", "required", "pam_x.so", &["two"]),
        ] {
            let (found, at, options) = module(line);
            assert_eq!((found.as_str(), at.as_str()), (word, path), "{line}");
            assert_eq!(options, args, "{line}");
        }
        assert_eq!(lines("\n# x\n  \n").unwrap(), []);
        assert_eq!(lines("auth required pam_x.so \\"), None);
        let numbers = lines("# one\nauth a b \\\nc\n\nauth d e\n").unwrap();
        let spans: Vec<_> = numbers.iter().map(|line| (line.number, line.last)).collect();
        assert_eq!(spans, [(2, 3), (5, 5)]);
    }

    #[test]
    fn what_cannot_be_meant_fails() {
        for line in ["auht required pam_x.so", "auth", "auth required"] {
            assert!(matches!(lines(line).unwrap()[0].says, Says::Wrong { .. }), "{line}");
        }
    }
}
