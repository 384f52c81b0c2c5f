//! The commands in a text for people. Each stays on one line, so that it can be pasted. Pure.

use textwrap::core::Word;

/// Splits a line at blanks into words. A command with its arguments is one word.
pub(super) fn words(line: &str) -> Box<dyn Iterator<Item = Word<'_>> + '_> {
    let mut found = Vec::new();
    let mut rest = line;
    while !rest.is_empty() {
        let (word, left) = rest.split_at(length(rest));
        found.push(Word::from(word));
        rest = left;
    }
    Box::new(found.into_iter())
}

/// Returns the length of the first word with the blanks behind it, in bytes.
fn length(text: &str) -> usize {
    let count = count(&text.split(' ').collect::<Vec<_>>());
    let words = text.split_inclusive(' ').take(count).map(str::len).sum();
    let blanks = |rest: &str| rest.len() - rest.trim_start_matches(' ').len();
    words + text.get(words..).map_or(0, blanks)
}

/// Returns how many of these words belong together.
fn count(words: &[&str]) -> usize {
    let Some(first) = words.first() else { return 0 };
    let Some(program) = program(first.trim_start_matches(['"', '(', '\''])) else { return 1 };
    if first.starts_with('"') || first.starts_with("(\"") {
        let end = words
            .iter()
            .take(MAX_WORDS)
            .position(|word| word.trim_start_matches(['"', '(']).contains('"'));
        return end.map_or(1, |end| end + 1);
    }
    let mut count = 1;
    for pair in words.windows(2).take(MAX_WORDS) {
        let [before, word] = pair else { break };
        let is_end = before.ends_with([',', ';', '.', ':']) || is_closed(before);
        if is_end || !is_argument(&program, before, count, word) {
            break;
        }
        count += 1;
    }
    count
}

/// A program that messages name.
struct Program {
    /// Its sub-commands; none if it has none.
    commands: &'static [&'static str],
}

fn program(word: &str) -> Option<Program> {
    let found = PROGRAMS.iter().find(|(name, _)| *name == word);
    found.map(|(_, commands)| Program { commands })
}

/// Reports whether a word ends a command in parentheses. Those of a shell are a part of it.
fn is_closed(word: &str) -> bool {
    word.ends_with(')')
        && !word.starts_with("$(")
        && word.matches('(').count() == 0
        && !word.contains('/')
}

/// Reports whether a word is an argument of the command before it. `number`: its place, from 1.
fn is_argument(program: &Program, before: &str, number: usize, word: &str) -> bool {
    let bare = word.trim_end_matches([',', ';', '.', ':', ')', '"']);
    let is_name = |text: &str| {
        !text.is_empty()
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
    };
    let is_placeholder = bare.len() > 1
        && bare.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_' || byte == b'-')
        && bare.starts_with(|first: char| first.is_ascii_uppercase());
    if ["&&", "|"].contains(&before) {
        return true;
    }
    let is_sign = ["&&", "|", ">", "-"].contains(&word);
    if word.starts_with('-')
        || is_sign
        || is_placeholder
        || bare.contains(['/', '@', '=', '$', '*', '\''])
    {
        return true;
    }
    match number {
        1 => program.commands.contains(&bare),
        _ => {
            let follows = !program.commands.is_empty() || before.starts_with('-');
            follows && is_name(bare) && !PROSE.contains(&bare)
        }
    }
}

/// A command has no more words.
const MAX_WORDS: usize = 14;
/// The programs that messages name, each with its sub-commands. Without sub-commands, only what
/// looks like an argument belongs to it.
const PROGRAMS: &[(&str, &[&str])] = &[
    ("apparmor_parser", &[]),
    ("authselect", &["apply-changes", "current", "disable-feature", "enable-feature", "select"]),
    ("cat", &[]),
    ("chattr", &[]),
    ("chmod", &[]),
    ("chown", &[]),
    ("cp", &[]),
    ("diff", &[]),
    ("echo", &[]),
    ("journalctl", &[]),
    ("kill", &[]),
    ("mkdir", &[]),
    ("mount", &[]),
    ("pam-auth-update", &[]),
    ("passwd", &[]),
    ("rm", &[]),
    ("semodule", &[]),
    ("setsebool", &[]),
    ("ssh", &[]),
    ("sshd", &[]),
    ("su", &[]),
    ("sudo", &["totpctl"]),
    (
        "systemctl",
        &[
            "disable",
            "enable",
            "list-jobs",
            "reload",
            "restart",
            "show",
            "start",
            "status",
            "stop",
            "try-reload-or-restart",
            "try-restart",
            "unmask",
        ],
    ),
    ("totpctl", TOTPCTL),
    ("visudo", &[]),
];
/// The commands of totpctl.
const TOTPCTL: &[&str] = &[
    "backup",
    "completions",
    "confirm",
    "disable",
    "doctor",
    "enable",
    "enroll",
    "explain",
    "export",
    "import",
    "list",
    "recovery-codes",
    "rekey",
    "remove",
    "rename",
    "restore",
    "resync",
    "rules",
    "seal-key",
    "set",
    "show",
    "status",
    "trust",
    "try",
    "unlock",
    "verify",
    "verify-store",
];
/// Words behind a command that are none of its arguments.
const PROSE: &[&str] = &[
    "a", "accepts", "after", "again", "and", "are", "as", "asks", "at", "before", "behind", "by",
    "checks", "creates", "denies", "does", "drops", "explains", "first", "for", "from", "has",
    "if", "in", "instead", "is", "lists", "may", "names", "of", "on", "once", "or", "prints",
    "removes", "reports", "says", "shows", "tells", "that", "the", "then", "there", "to", "until",
    "when", "which", "with", "without", "writes",
];

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the words of a line that have a blank in them.
    fn commands(line: &str) -> Vec<String> {
        let words = words(line).map(|word| word.word.to_owned());
        words.filter(|word| word.contains(' ')).collect()
    }

    #[test]
    fn a_command_with_its_arguments_is_one_word() {
        for (line, expected) in [
            (
                "another terminal, without a key: ssh -o PubkeyAuthentication=no -p 2222 USER@localhost",
                &["ssh -o PubkeyAuthentication=no -p 2222 USER@localhost"][..],
            ),
            ("in another terminal: sudo -k true", &["sudo -k true"]),
            ("not as root: su - USER", &["su - USER"]),
            (
                "run totpctl enable sshd --write-sshd, or write UsePAM yes",
                &["totpctl enable sshd --write-sshd,"],
            ),
            (
                "revert it with \"totpctl try --undo\", and have the machine run that",
                &["\"totpctl try --undo\","],
            ),
            (
                "reload sshd (kill -HUP $(cat /run/sshd.pid)) and test",
                &["(kill -HUP $(cat /run/sshd.pid))"],
            ),
            ("reload sshd (systemctl try-restart ssh).", &["(systemctl try-restart ssh)."]),
            (
                "reload sshd: sshd -t && kill -HUP $(cat /run/sshd.pid); then",
                &["sshd -t && kill -HUP $(cat /run/sshd.pid);"],
            ),
            (
                "  To put it back: cp /var/lib/totpctl/sshd.edited /etc/pam.d/sshd",
                &["cp /var/lib/totpctl/sshd.edited /etc/pam.d/sshd"],
            ),
            ("see them: journalctl -t totpd --since=@5", &["journalctl -t totpd --since=@5"]),
            ("run totpctl doctor before you close it", &["totpctl doctor"]),
            ("enroll a user first (totpctl enroll USER), or allow", &["(totpctl enroll USER),"]),
            ("totpctl: not changed: totpctl did not write it", &[]),
            ("sshd asks for a code, sudo does not ask, and su says no", &[]),
            (
                "totpctl doctor --explain ID explains the one in brackets",
                &["totpctl doctor --explain ID"],
            ),
        ] {
            assert_eq!(commands(line), expected, "{line}");
        }
    }

    #[test]
    fn every_command_of_totpctl_is_known() {
        let cli = crate::cli::Cli::clap();
        let names: Vec<_> = cli.get_subcommands().map(clap::Command::get_name).collect();
        assert!(names.iter().all(|name| TOTPCTL.contains(name)), "{names:?}");
        assert_eq!(names.len(), TOTPCTL.len());
    }

    #[test]
    fn no_letter_of_a_line_is_lost() {
        let line = "  two  blanks, run totpctl try --undo  and see ";
        let all: String =
            words(line).map(|word| format!("{}{}", word.word, word.whitespace)).collect();
        assert_eq!(all, line);
        assert_eq!(words("").count(), 0);
    }
}
