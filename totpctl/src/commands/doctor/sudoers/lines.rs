//! The lines of sudoers, and the files that they include.

/// A place in a file.
pub(in super::super) type Place = (String, usize);

/// A line, with all parts that continue it, and without its comment.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Line {
    /// The number of its first part, from 1.
    pub(super) number: usize,
    /// The number of its last part.
    pub(super) last: usize,
    /// Its text.
    pub(super) text: String,
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
        let (mut text, mut is_continued) = part(first);
        let mut last = index + 1;
        while is_continued {
            let Some((index, next)) = raw.next() else { break };
            last = index + 1;
            let (more, on) = part(next);
            text.push_str(&more);
            is_continued = on;
        }
        if !text.trim().is_empty() {
            found.push(Line { number: index + 1, last, text: text.trim().to_owned() });
        }
    }
    found
}

/// Returns a line without its comment, and whether the next line continues it.
fn part(line: &str) -> (String, bool) {
    let is_include = line.trim_start().starts_with("#include");
    let bare = match is_include {
        true => line,
        false => line.get(..comment_start(line)).unwrap_or(line),
    };
    match bare.trim_end().strip_suffix('\\') {
        Some(before) if bare == line => (before.to_owned(), true),
        _ => (bare.to_owned(), false),
    }
}

/// Returns the index of the comment, or the end. `#` before a number means a uid.
fn comment_start(line: &str) -> usize {
    let (mut is_quoted, mut is_escaped) = (false, false);
    for (index, c) in line.char_indices() {
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            '"' => is_quoted = !is_quoted,
            '#' if !is_quoted => {
                let after = line.get(index + 1..).unwrap_or_default();
                let after = after.strip_prefix('-').unwrap_or(after);
                if !after.starts_with(|c: char| c.is_ascii_digit()) {
                    return index;
                }
            }
            _ => {}
        }
    }
    line.len()
}

/// Returns what a line includes, if it does. `file` is the file of the line, and `host` the name of
/// this host.
pub(super) fn include(line: &str, file: &str, host: &str) -> Option<Include> {
    let rest = line.strip_prefix(['@', '#'])?;
    let (is_folder, rest) = match (rest.strip_prefix("includedir"), rest.strip_prefix("include")) {
        (Some(rest), _) => (true, rest),
        (None, Some(rest)) => (false, rest),
        (None, None) => return None,
    };
    let name = rest.strip_prefix([' ', '\t'])?.trim();
    let name = match name.strip_prefix('"').and_then(|name| name.strip_suffix('"')) {
        Some(quoted) => quoted.to_owned(),
        None => name.replace("\\ ", " "),
    };
    let name = name.replace("%h", host);
    let folder = file.rsplit_once('/').map_or("", |(folder, _)| folder);
    let path = if name.starts_with('/') { name } else { format!("{folder}/{name}") };
    Some(match is_folder {
        true => Include::Folder(path.trim_end_matches('/').to_owned()),
        false => Include::File(path),
    })
}

/// Returns the names in a folder that sudo reads, in its order.
pub(super) fn included(names: &[String]) -> Vec<&String> {
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
            ("#included here", None),
            ("alice ALL=ALL", None),
        ] {
            assert_eq!(include(line, "/etc/sudoers", "host"), expected, "{line}");
        }
    }
}
