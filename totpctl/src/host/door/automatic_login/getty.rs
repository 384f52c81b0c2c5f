//! Commands by which a getty or login lets a user in without a question. Pure.

/// Who is logged in without a question.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Login {
    pub(super) user: String,
    /// True if the program is login, which asks PAM for `account`.
    pub(super) runs_login: bool,
}

/// Returns the users that commands in a text log in, each with its first line. The text is a unit,
/// a table of an init, or a file of variables.
pub(super) fn logins(text: &str) -> Vec<(usize, Login)> {
    commands(text).into_iter().filter_map(|(line, words)| Some((line, login(&words)?))).collect()
}

/// Returns the words of each command, and its first line. A backslash at the end continues a line.
fn commands(text: &str) -> Vec<(usize, Vec<String>)> {
    let (mut found, mut open): (Vec<(usize, String)>, bool) = (Vec::new(), false);
    for (index, line) in text.lines().enumerate() {
        if line.trim_start().starts_with(['#', ';']) {
            continue;
        }
        let continued = line.trim_end().strip_suffix('\\');
        let part = continued.unwrap_or(line);
        match found.last_mut().filter(|_| open) {
            Some((_, command)) => command.extend([" ", part]),
            None => found.push((index + 1, part.to_owned())),
        }
        open = continued.is_some();
    }
    // A file of variables has the words of a command in quotes, and so has an option of agetty.
    let words = |command: &str| {
        let words = command.split(|c: char| c.is_whitespace() || ['"', '\''].contains(&c));
        words.filter(|word| !word.is_empty()).map(ToOwned::to_owned).collect()
    };
    found.iter().map(|(line, command)| (*line, words(command))).collect()
}

/// Returns the user that a command logs in.
fn login(words: &[String]) -> Option<Login> {
    let is_getty = words.iter().any(|word| word.to_ascii_lowercase().contains("getty"));
    // Behind -o, the options are those of login.
    let mut is_login = !is_getty && words.iter().any(|word| base(word) == "login");
    let (mut skips_login, mut program, mut named) = (false, None, None);
    let mut rest = words.iter().map(String::as_str);
    while let Some(word) = rest.next() {
        let Some(option) = Argument::parse(word) else { continue };
        skips_login |= option.flags.contains('n') || option.name == "skip-login";
        let user = match option.name {
            "f" if is_login => option.value.or_else(|| rest.next()),
            "a" | "autologin" if is_getty => option.value.or_else(|| rest.next()),
            "o" | "login-options" => {
                is_login = true;
                option.value.and_then(|value| value.strip_prefix("-f"))
            }
            "l" | "login-program" if is_getty => {
                program = option.value.or_else(|| rest.next());
                None
            }
            _ => None,
        };
        named = named.or(user.filter(|user| !user.is_empty()));
    }
    let runs_login = program.is_none_or(|path| base(path) == "login");
    let user = match named {
        // agetty puts the name there that is typed.
        Some(user) if user.starts_with('\\') => "anybody",
        Some(user) => user,
        None if is_getty && skips_login && !runs_login => "root",
        None => return None,
    };
    Some(Login { user: user.to_owned(), runs_login })
}

/// An option of agetty or login, as a word has it.
struct Argument<'a> {
    /// Letters before it in the same word, which have no value.
    flags: &'a str,
    /// Its name, without dashes.
    name: &'a str,
    /// Its value, if it stands in the same word.
    value: Option<&'a str>,
}

impl<'a> Argument<'a> {
    fn parse(word: &'a str) -> Option<Self> {
        if let Some(long) = word.strip_prefix("--") {
            let (name, value) = match long.split_once('=') {
                Some((name, value)) => (name, Some(value)),
                None => (long, None),
            };
            return Some(Self { flags: "", name, value });
        }
        let letters = word.strip_prefix('-')?;
        let rest = letters.trim_start_matches(|c| FLAGS.contains(c));
        let flags = letters.strip_suffix(rest)?;
        let (name, value) = rest.split_at_checked(1).unwrap_or_default();
        Some(Self { flags, name, value: Some(value).filter(|value| !value.is_empty()) })
    }
}

/// Returns the name of the program in a word such as `ExecStart=-/sbin/agetty`.
fn base(word: &str) -> &str {
    word.rsplit(['/', '=', '-']).next().unwrap_or(word)
}

/// The options of agetty that have no value.
const FLAGS: &str = "8EJLNUchimnw";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_that_logs_somebody_in_is_found_however_it_is_written() {
        for (text, line, user) in [
            (
                "[Service]\nExecStart=\nExecStart=-/sbin/agetty -o '-p -- \\\\u' --noclear -a al %I\n",
                3,
                "al",
            ),
            ("1:2345:respawn:/sbin/getty -a root 38400 tty1\n", 1, "root"),
            ("agetty_options=\"--autologin al --noclear\"\n", 1, "al"),
            ("GETTY_ARGS=\"--noclear --autologin=al\"\n", 1, "al"),
            ("ExecStart=/sbin/agetty -aal tty1\n", 1, "al"),
            ("ExecStart=/sbin/agetty -na al tty1\n", 1, "al"),
            ("ExecStart=/sbin/agetty \\\n# x\n  --autologin al tty1\n", 1, "al"),
            ("ExecStart=/sbin/agetty --skip-login --login-options \"-f al\" tty1\n", 1, "al"),
            ("ExecStart=/sbin/agetty -o '-f \\\\u' tty1\n", 1, "anybody"),
            ("ExecStart=-/bin/login -f al\n", 1, "al"),
            ("c1:1:respawn:/sbin/agetty -n -l /usr/bin/autologin tty1\n", 1, "root"),
            ("ExecStart=/sbin/agetty -n -l /bin/bash tty1\n", 1, "root"),
            ("ExecStart=/sbin/agetty -a al -l /bin/own tty1\n", 1, "al"),
            ("1:2345:respawn:/sbin/mingetty --autologin al tty1\n", 1, "al"),
        ] {
            // These start another program.
            let runs_login = !text.contains(" -l ");
            let login = Login { user: user.to_owned(), runs_login };
            assert_eq!(logins(text), [(line, login)], "{text}");
        }
        for text in [
            "ExecStart=-/sbin/agetty --noclear %I $TERM\n#agetty -a x\n",
            "ExecStart=-/sbin/agetty -o '-p -- \\\\u' --noclear - $TERM\n",
            "ExecStart=/sbin/agetty -f /etc/issue -l /bin/login -H alpha tty1\n",
            "ExecStart=/usr/bin/other -a x\n",
        ] {
            assert_eq!(logins(text), [], "{text}");
        }
    }
}
