//! The order of the services of NSS. glibc tells that one is down only if it is the last one of its
//! line.

use std::fs;
use std::path::Path;

/// Returns the line of nsswitch.conf at which an outage would not show, and why, for each of these
/// databases.
pub(crate) fn hidden_outages(databases: &[&str]) -> Vec<(String, String)> {
    let file = FILES.into_iter().find(|path| Path::new(path).is_file()).unwrap_or(FILES[0]);
    let text = fs::read_to_string(file).unwrap_or_default();
    let found = databases.iter().filter_map(|database| hidden_outage(&text, database));
    found.map(|(line, message)| (format!("{file}:{line}"), message)).collect()
}

/// Returns the number of the line of `database`, and why an outage would not show.
fn hidden_outage(text: &str, database: &str) -> Option<(usize, String)> {
    let (number, services) = text.lines().enumerate().find_map(|(index, line)| {
        let (name, services) = line.split('#').next()?.split_once(':')?;
        (name.trim() == database).then_some((index + 1, services))
    })?;
    let words = services.replace('[', " [").replace(']', "] ");
    let mut before: Option<&str> = None;
    let mut in_brackets = false;
    for word in words.split_whitespace() {
        if word.starts_with('[') {
            in_brackets = true;
        }
        if in_brackets {
            let action = word.trim_matches(['[', ']']).to_ascii_lowercase();
            // Then libc stops there, and says so.
            if matches!(action.as_str(), "unavail=return" | "!success=return") {
                before = None;
            }
            in_brackets = !word.ends_with(']');
            continue;
        }
        if let Some(hidden) = before {
            return Some((
                number,
                format!(
                    "{database}: while {hidden} is down, {word} says that there is no such {}, and rules believe \
                     it; write {hidden} last",
                    if database == "group" { "group" } else { "user" }
                ),
            ));
        }
        before = (!NEVER_DOWN.contains(&word)).then_some(word);
    }
    None
}

const FILES: [&str; 2] = ["/etc/nsswitch.conf", "/usr/etc/nsswitch.conf"];
/// Services that read files, or say what systemd itself has.
const NEVER_DOWN: [&str; 7] =
    ["altfiles", "compat", "db", "extrausers", "files", "mymachines", "systemd"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_that_is_not_the_last_one_hides_its_outage() {
        for (text, expected) in [
            ("", None),
            ("group: files\n", None),
            ("group: files systemd sss\n", None),
            ("group: files systemd\n", None),
            ("passwd: files sss systemd\n", None),
            (
                "# group: sss files\ngroup: files sss systemd\n",
                Some((2, "while sss is down, systemd")),
            ),
            ("group:ldap files # sss\n", Some((1, "while ldap is down, files"))),
            ("group: sss [NOTFOUND=return] systemd\n", Some((1, "while sss is down, systemd"))),
            ("group: sss [ UNAVAIL=return ] systemd\n", None),
            ("group: sss [!SUCCESS=return] files\n", None),
            (
                "group: files [SUCCESS=merge] sss [SUCCESS=merge] systemd\n",
                Some((1, "while sss is down")),
            ),
            ("group: files winbind sss\n", Some((1, "while winbind is down, sss"))),
        ] {
            let found = hidden_outage(text, "group");
            let found = found.as_ref().map(|(line, message)| (*line, message.as_str()));
            match (found, expected) {
                (Some((line, message)), Some((number, words))) => {
                    assert!(line == number && message.contains(words), "{text}: {message}");
                }
                (found, expected) => assert_eq!(found, expected, "{text}"),
            }
        }
    }
}
