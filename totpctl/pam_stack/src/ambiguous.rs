//! Lines that versions of libpam read differently. Nobody can say what such a file does.

use crate::control::JUMP_OVERFLOW;

/// A line that versions of libpam read differently.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct AmbiguousLine {
    /// Its number in the file, from 1.
    pub(crate) number: usize,
    /// The difference, as a phrase.
    pub(crate) reason: &'static str,
}

/// Returns the first of these lines in a file, of whatever kind it is.
pub(crate) fn ambiguous_line(text: &str) -> Option<AmbiguousLine> {
    let mut is_continued = false;
    let mut length = 0;
    for (index, line) in text.strip_suffix('\n').unwrap_or(text).split('\n').enumerate() {
        let found = |reason| Some(AmbiguousLine { number: index + 1, reason });
        if line.contains('\0') {
            return found("libpam stops reading the line at a NUL byte");
        }
        let bare = line.split('#').next().unwrap_or_default().trim_matches(BLANK);
        if is_continued && bare.is_empty() {
            return found(JOINED);
        }
        length = if is_continued { length + line.len() } else { line.len() };
        if length >= LONGEST {
            return found("before version 1.6, libpam cannot read a line of 1,000 bytes or more");
        }
        is_continued = !line.contains('#') && bare.ends_with('\\');
    }
    None
}

/// Returns the change to make at an ambiguous line, for the reason of the ambiguity.
#[must_use]
pub fn ambiguity_fix(reason: &str) -> &'static str {
    match reason {
        INCLUDED_TOO_DEEP => "write the lines of some of these files into one",
        JUMP_OVERFLOW => "correct the number of lines that it skips",
        _ => "write the line whole, and without what is in its way",
    }
}

pub(crate) const INCLUDED_TOO_DEEP: &str = "newer versions of libpam refuse more than 16 files inside each other, and nobody can log in; earlier ones \
                                          read them";
pub(crate) const JOINED: &str = "before version 1.6, libpam joins the lines around an empty line or comment, if \
                                 the first ends with a backslash";
const BLANK: [char; 2] = [' ', '\t'];
/// A little below the 1,024 bytes of its buffer, which also take what joins the parts.
const LONGEST: usize = 1000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_versions_read_differently_are_found() {
        let long = format!("account required pam_x.so {}\n", "x".repeat(1000));
        let comment = format!("# {}\n", "x".repeat(5000));
        let joined = "auth required pam_x.so \\\n".to_owned() + &"word word \\\n".repeat(100);
        for (text, number) in [
            ("auth requisite pam_unix.so \\\n# nodelay\nauth required pam_x.so\n", Some(2)),
            ("auth requisite pam_unix.so\\\n\n", Some(2)),
            ("auth a b \\\n c \\\n  \t# d\n e\n", Some(3)),
            ("# a \\\n# b\nauth a b \\\n c # d\n\n# e\n", None),
            ("auth a b # c \\\n\nauth d e\n", None),
            ("\nauth a b\\\\x\n\n", None),
            ("auth a b\0c\n", Some(1)),
            (long.as_str(), Some(1)),
            (comment.as_str(), Some(1)),
            (joined.as_str(), Some(90)),
            ("", None),
        ] {
            let found = ambiguous_line(text).map(|line| line.number);
            assert_eq!(found.is_some(), number.is_some(), "{text}");
            if text.len() < 200 {
                assert_eq!(found, number, "{text}");
            }
        }
    }
}
