//! The command of a unit of systemd that starts sshd. Pure: `read` returns files.

use super::command_line::CommandLine;
use crate::host::sshd::quoted_words;

/// Returns the command that the texts of a unit and its drop-ins start, in their order; `None` if
/// they start another program, such as a shell.
pub(super) fn command(
    texts: &[String],
    read: &dyn Fn(&str) -> Option<String>,
) -> Option<CommandLine> {
    let (mut command, mut variables) = (None, Vec::new());
    for (key, value) in texts.iter().flat_map(|text| settings(text)) {
        match key.as_str() {
            // An empty one resets those before.
            "ExecStart" => command = (!value.is_empty()).then_some(value),
            "Environment" => {
                variables.extend(words(&value).iter().filter_map(|word| assignment(word)))
            }
            "EnvironmentFile" => {
                let text = read(value.trim_start_matches('-')).unwrap_or_default();
                variables.extend(text.lines().filter_map(assignment_of_file));
            }
            _ => {}
        }
    }
    let command = command?;
    let mut expanded = Vec::new();
    for word in words(command.trim_start_matches(['-', '@', ':', '+', '!', '|'])) {
        let value = |name: &str| {
            let found = variables.iter().rev().find(|(key, _)| key == name);
            found.map(|(_, value)| value.clone()).unwrap_or_default()
        };
        match word.strip_prefix('$') {
            // Only a bare name is split at blanks.
            Some(name) if !name.starts_with(['{', '$']) => expanded.extend(words(&value(name))),
            _ => expanded.push(substitute(&word, &value)),
        }
    }
    let command = CommandLine::new(&expanded, false);
    (command.program.rsplit('/').next() == Some("sshd")).then_some(command)
}

/// Returns the options in a variable of a file such as `/etc/default/ssh`.
pub(super) fn options_of_variable(text: &str, name: &str) -> Option<CommandLine> {
    let mut assignments = text.lines().filter_map(assignment_of_file);
    let (_, value) = assignments.rfind(|(key, _)| key == name)?;
    let mut all = vec!["sshd".to_owned()];
    all.extend(words(&value));
    Some(CommandLine::new(&all, false))
}

/// Returns the settings of the section `[Service]`, with continued lines as one.
fn settings(text: &str) -> Vec<(String, String)> {
    let joined = text.replace("\\\n", " ");
    let mut is_service = false;
    let mut found = Vec::new();
    for line in joined.lines().map(str::trim).filter(|line| !line.starts_with(['#', ';'])) {
        if line.starts_with('[') {
            is_service = line == "[Service]";
        } else if let Some((key, value)) = line.split_once('=').filter(|_| is_service) {
            found.push((key.trim().to_owned(), value.trim().to_owned()));
        }
    }
    found
}

fn assignment(word: &str) -> Option<(String, String)> {
    word.split_once('=').map(|(key, value)| (key.to_owned(), value.to_owned()))
}

/// Reads a line `NAME=VALUE` or `NAME="VALUE"`.
fn assignment_of_file(line: &str) -> Option<(String, String)> {
    let (key, value) = line.trim().split_once('=').filter(|(key, _)| !key.starts_with('#'))?;
    let value = value.trim();
    let quoted =
        ['"', '\''].into_iter().find_map(|quote| value.strip_prefix(quote)?.strip_suffix(quote));
    let key = key.strip_prefix("export ").unwrap_or(key);
    Some((key.trim().to_owned(), quoted.unwrap_or(value).to_owned()))
}

fn words(text: &str) -> Vec<String> {
    quoted_words::split(text, char::is_whitespace, None)
}

/// Replaces each `${NAME}` in a word.
fn substitute(word: &str, value: &dyn Fn(&str) -> String) -> String {
    let mut parts = word.split("${");
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        match part.split_once('}') {
            Some((name, rest)) => text.push_str(&format!("{}{rest}", value(name))),
            None => text.push_str(part),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEBIAN: &str = "[Unit]\nDescription=x\n[Service]\nEnvironmentFile=-/etc/default/ssh\n\
                          ExecStartPre=/usr/sbin/sshd -t\nExecStart=/usr/sbin/sshd -D $SSHD_OPTS\n";

    #[test]
    fn the_options_of_a_unit_are_read() {
        for (drop_in, file, expected) in [
            ("", "SSHD_OPTS=\n", Some("")),
            (
                "",
                "# SSHD_OPTS=-p1\nSSHD_OPTS=\"-f /etc/x -o 'UsePAM no'\"\n",
                Some("-f|/etc/x|-o|UsePAM no"),
            ),
            ("", "SSHD_OPTS=-p 1\nSSHD_OPTS=-oUsePAM=no\n", Some("-o|UsePAM=no")),
            (
                "[Service]\nExecStart=\nExecStart=-/usr/sbin/sshd -D \\\n -o \"Match x\" -f${DIR}/y\n\
                 Environment=DIR=/etc/z \"A=b c\"\n",
                "",
                Some("-o|Match x|-f|/etc/z/y"),
            ),
            ("[Service]\nExecStart=\nExecStart=/bin/sh -c 'exec sshd -D'\n", "", None),
            ("[Service]\nExecStart=\n", "", None),
            ("[Install]\nExecStart=\n", "SSHD_OPTS=-p2\n", Some("-p|2")),
        ] {
            let texts = [DEBIAN.to_owned(), drop_in.to_owned()];
            let read = |path: &str| (path == "/etc/default/ssh").then(|| file.to_owned());
            let found = command(&texts, &read).map(|command| command.words().join("|"));
            assert_eq!(found.as_deref(), expected, "{drop_in} {file}");
        }
        assert_eq!(command(&[], &|_| None), None);
        let found = options_of_variable("SSHD_OPTS='-p 7 -o UsePAM=no'\n", "SSHD_OPTS").unwrap();
        assert_eq!(found.words(), ["-p", "7", "-o", "UsePAM=no"]);
        assert_eq!(options_of_variable("OTHER=1\n", "SSHD_OPTS"), None);
    }
}
