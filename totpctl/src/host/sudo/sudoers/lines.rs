//! The lines of sudoers, and the files that they include.

use super::line_part::PartReader;
use super::words::{BLANKS, Words, unquote};

/// A place in a file.
pub(crate) type Place = (String, usize);

/// A line, with all parts that continue it, and without its comment.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Line {
    /// The number of its first part, from 1.
    pub(super) number: usize,
    /// The number of its last part.
    pub(super) last: usize,
    /// Its text.
    pub(super) text: String,
    /// True if it begins with a blank.
    pub(super) is_indented: bool,
}

/// A line that includes others.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Include {
    /// One file.
    File(String),
    /// The files of a folder.
    Folder(String),
}

/// Returns the lines that are not empty.
pub(super) fn logical_lines(text: &str) -> Vec<Line> {
    let mut found = Vec::new();
    let mut raw = text.lines().enumerate();
    while let Some((index, first)) = raw.next() {
        let mut reader = PartReader::new(first);
        let (part, mut is_continued) = reader.part(first);
        let (mut text, mut last) = (part.to_owned(), index + 1);
        while is_continued {
            let Some((index, next)) = raw.next() else { break };
            last = index + 1;
            let (more, on) = reader.part(next);
            text.push_str(more);
            is_continued = on;
        }
        if !text.trim_matches(BLANKS).is_empty() {
            let is_indented = text.starts_with(BLANKS);
            let text = text.trim_matches(BLANKS).to_owned();
            found.push(Line { number: index + 1, last, text, is_indented });
        }
    }
    found
}

/// Returns what a line includes, if it does, and whether anything follows the name. `file` is the
/// file of the line, and `host` the name of this host.
pub(super) fn include(line: &str, file: &str, host: &str) -> Option<(Include, bool)> {
    let rest = line.strip_prefix(['@', '#'])?;
    let (is_folder, rest) = match (rest.strip_prefix("includedir"), rest.strip_prefix("include")) {
        (Some(rest), _) => (true, rest),
        (None, Some(rest)) => (false, rest),
        (None, None) => return None,
    };
    let mut words = Words(rest.strip_prefix(BLANKS)?.trim_matches(BLANKS));
    let name = unquote(words.until(&[' ', '\t']));
    let has_more = !words.is_at_end();
    let host = host.split_once('.').map_or(host, |(short, _)| short);
    let name = name.replace("%h", host);
    let folder = file.rsplit_once('/').map_or("", |(folder, _)| folder);
    let path = if name.starts_with('/') { name } else { format!("{folder}/{name}") };
    let found = match is_folder {
        true => Include::Folder(path.trim_end_matches('/').to_owned()),
        false => Include::File(path),
    };
    Some((found, has_more))
}

/// Returns the names in a folder that sudo reads, in its order.
pub(super) fn included_names(names: &[String]) -> Vec<&String> {
    let mut read: Vec<_> =
        names.iter().filter(|name| !name.contains('.') && !name.ends_with('~')).collect();
    read.sort();
    read
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_continued_lines_are_joined() {
        let text = "# x \\\nalice ALL = \\\n  ALL # y\n#1000 ALL=ALL\n%#27, #-1 ALL=ALL #z\n\
                    Defaults passprompt=\"[#] \"\n\n";
        let lines: Vec<_> = logical_lines(text)
            .into_iter()
            .map(|line| (line.number, line.last, line.text))
            .collect();
        let expected = [
            (2, 3, "alice ALL =   ALL"),
            (4, 4, "#1000 ALL=ALL"),
            (5, 5, "%#27, #-1 ALL=ALL"),
            (6, 6, "Defaults passprompt=\"[#] \""),
        ];
        assert_eq!(lines, expected.map(|(number, last, text)| (number, last, text.to_owned())));
    }

    #[test]
    fn included_paths_are_absolute() {
        for (line, expected) in [
            ("@include /a", Some(Include::File("/a".into()))),
            ("#include local", Some(Include::File("/etc/local".into()))),
            ("@include \"/a b\"", Some(Include::File("/a b".into()))),
            ("@include /a\\ b", Some(Include::File("/a b".into()))),
            ("#includedir /etc/sudoers.d/", Some(Include::Folder("/etc/sudoers.d".into()))),
            ("@includedir %h.d", Some(Include::Folder("/etc/host.d".into()))),
            ("@include /a\\#1", Some(Include::File("/a#1".into()))),
            ("#included here", None),
            ("alice ALL=ALL", None),
        ] {
            let expected = expected.map(|found| (found, false));
            assert_eq!(include(line, "/etc/sudoers", "host.example"), expected, "{line}");
        }
        let more = include("@include /a b", "/etc/sudoers", "host");
        assert_eq!(more, Some((Include::File("/a".into()), true)));
    }

    #[test]
    fn comments_end_where_sudo_says() {
        for (text, expected) in [
            ("#include /a # site rules", &["#include /a"][..]),
            ("#includedir /a # b", &["#includedir /a"]),
            ("  #include /a # b", &["#include /a"]),
            ("  @include /a\\#1 # b", &["@include /a\\#1"]),
            ("@include \"/a #1\" # b", &["@include \"/a #1\""]),
            ("bob ALL=/bin/echo \" # x, ALL", &["bob ALL=/bin/echo \""]),
            ("bob ALL=/bin/a b\"# x, ALL", &["bob ALL=/bin/a b\""]),
            ("bob ALL=sudoedit \" # x, ALL", &["bob ALL=sudoedit \""]),
            ("\"b # b\" ALL=CWD=\"/a # b\" /bin/a # c", &["\"b # b\" ALL=CWD=\"/a # b\" /bin/a"]),
            (
                "Defaults passprompt=\"a \\\n#b\", !authenticate",
                &["Defaults passprompt=\"a #b\", !authenticate"],
            ),
            ("bob ALL=/bin/a \" \\\n# x", &["bob ALL=/bin/a \""]),
            ("bob ALL=/bin/a \\\\\neve ALL=ALL", &["bob ALL=/bin/a \\\\", "eve ALL=ALL"]),
            ("bob ALL=/bin/a \\ \neve ALL=ALL", &["bob ALL=/bin/a \\", "eve ALL=ALL"]),
        ] {
            let lines: Vec<_> = logical_lines(text).into_iter().map(|line| line.text).collect();
            assert_eq!(lines, expected, "{text}");
        }
    }
}
