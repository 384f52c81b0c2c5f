//! Lines of `AuthenticationMethods` that are meant for all users, and do not count for them.

use std::fs;
use std::path::Path;

use crate::host::sshd::config::blocks::words;
use crate::host::sshd::config::trace::Trace;
use crate::host::sshd::launch::listener::folder_of;
use crate::host::sshd::question::Answer;

/// Returns why a line of `AuthenticationMethods` does not require what it seems to require.
pub(super) fn reason(answer: &Answer) -> Option<String> {
    match &answer.config.lists {
        Some(lists) => alternatives(lists),
        None => in_block(&answer.trace.files)
            .or_else(|| in_unread_file(&answer.trace))
            .or_else(|| in_file_of_client(Path::new(CLIENTS_FOLDER))),
    }
}

/// A comma was meant, and a blank written.
fn alternatives(lists: &[String]) -> Option<String> {
    let is_single = lists.iter().all(|list| !list.contains(','));
    let asks = lists.iter().any(|list| list.starts_with("keyboard-interactive"));
    (lists.len() > 1 && is_single && asks).then(|| {
        format!(
            "in \"AuthenticationMethods {}\" a blank means OR: for all of them write commas",
            lists.join(" ")
        )
    })
}

/// The line stands behind a `Match` line.
fn in_block(files: &[String]) -> Option<String> {
    files.iter().find_map(|file| {
        let mut criteria = String::from(FOR_ALL);
        settings(file).into_iter().find_map(|(number, words)| match words.split_first() {
            Some((keyword, rest)) if keyword.eq_ignore_ascii_case("match") => {
                criteria = rest.join(" ");
                None
            }
            Some((keyword, _)) if is_lists(keyword) && !criteria.eq_ignore_ascii_case(FOR_ALL) => {
                Some(format!(
                    "the AuthenticationMethods at {file}:{number} counts only for Match {criteria}"
                ))
            }
            _ => None,
        })
    })
}

/// The line stands in a drop-in whose name no `Include` matches.
fn in_unread_file(trace: &Trace) -> Option<String> {
    let folders = trace.includes.iter().filter(|pattern| pattern.ends_with("/*.conf"));
    folders.filter_map(|pattern| folder_of(pattern)).find_map(|folder| {
        let entries = fs::read_dir(folder).ok()?.flatten();
        let mut paths: Vec<_> = entries.map(|entry| entry.path().display().to_string()).collect();
        paths.sort_unstable();
        // A copy of a drop-in has its name in its own.
        paths.retain(|path| !path.contains(".conf") && !path.ends_with('~'));
        let found = paths.into_iter().find(|path| line_of_lists(path).is_some())?;
        Some(format!("{found} has AuthenticationMethods, but sshd does not read it: its name does not end in .conf"))
    })
}

/// The line stands in a file of the client.
fn in_file_of_client(folder: &Path) -> Option<String> {
    let drop_ins = glob::glob(&format!("{}/ssh_config.d/*.conf", folder.display()));
    let drop_ins = drop_ins.into_iter().flatten().flatten();
    std::iter::once(folder.join("ssh_config")).chain(drop_ins).find_map(|path| {
        let path = path.display().to_string();
        let number = line_of_lists(&path)?;
        Some(format!("the AuthenticationMethods at {path}:{number} has no effect: that file is for the client ssh"))
    })
}

fn line_of_lists(path: &str) -> Option<usize> {
    let is_it = |words: &[String]| words.first().is_some_and(|keyword| is_lists(keyword));
    settings(path).into_iter().find(|(_, words)| is_it(words)).map(|(number, _)| number)
}

fn is_lists(keyword: &str) -> bool {
    keyword.eq_ignore_ascii_case("AuthenticationMethods")
}

/// Returns the lines of a file with their numbers, each split into words.
fn settings(path: &str) -> Vec<(usize, Vec<String>)> {
    let text = fs::read(path).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    text.lines().enumerate().map(|(index, line)| (index + 1, words(line))).collect()
}

const CLIENTS_FOLDER: &str = "/etc/ssh";
/// The criterion that every connection meets.
const FOR_ALL: &str = "all";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_blank_is_no_comma() {
        for (lists, is_told) in [
            (&["publickey", "keyboard-interactive"][..], true),
            (&["publickey", "keyboard-interactive:pam"], true),
            (&["publickey,keyboard-interactive"], false),
            (&["publickey,keyboard-interactive", "keyboard-interactive"], false),
            (&["publickey", "hostbased"], false),
            (&["keyboard-interactive"], false),
        ] {
            let lists: Vec<_> = lists.iter().map(ToString::to_string).collect();
            let told = alternatives(&lists);
            assert_eq!(told.is_some(), is_told, "{told:?}");
        }
    }

    #[test]
    fn a_line_that_does_not_count_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name).display().to_string();
        let line = "AuthenticationMethods publickey,keyboard-interactive\n";
        let main = path("sshd_config");
        for (text, expected) in [
            (
                format!("Match User git\n X11Forwarding no\n{line}"),
                Some("3 counts only for Match User git"),
            ),
            (format!("match all\n{line}"), None),
            (format!("Match User git\nMatch all\n{line}"), None),
            (format!("{line}Match User git\n"), None),
            (format!("Match User git\n# {line}"), None),
        ] {
            fs::write(&main, &text).unwrap();
            let told = in_block(std::slice::from_ref(&main));
            let expected = expected.map(|end| format!("the AuthenticationMethods at {main}:{end}"));
            assert_eq!(told, expected, "{text}");
        }
        let include = format!("debug2: x line 1: new include {}\n", path("*.conf"));
        let trace = Trace::parse(&include);
        for name in ["1.conf", "1.conf.dpkg-old", "1~"] {
            fs::write(path(name), line).unwrap();
        }
        assert_eq!(in_unread_file(&trace), None);
        fs::write(path("20-key-and-code"), line).unwrap();
        let told = in_unread_file(&trace).unwrap();
        assert!(told.starts_with(&path("20-key-and-code")) && told.ends_with(".conf"), "{told}");
        assert_eq!(in_file_of_client(folder.path()), None);
        fs::write(path("ssh_config"), format!("Host *\n{line}")).unwrap();
        let told = in_file_of_client(folder.path()).unwrap();
        assert!(told.contains("ssh_config:2 has no effect"), "{told}");
    }
}
