//! The options with which sshd is started, as far as they change its configuration. Pure.

/// A command line of sshd.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct CommandLine {
    /// The first word: the program.
    pub(crate) program: String,
    /// The options that change the configuration, each with its value: `-f`, `-h`, `-o`, `-p`.
    pub(crate) options: Vec<(char, String)>,
}

impl CommandLine {
    /// Reads `/proc/PID/cmdline` of an sshd that listens. A listener of OpenSSH 8.2 or later writes
    /// its words there with blanks between them, as `sshd: /usr/sbin/sshd -D [listener] 0 of …`.
    pub(crate) fn of_process(text: &str) -> Self {
        let title = text.strip_prefix("sshd: ").and_then(|rest| rest.split_once(" [listener] "));
        match title {
            Some((command, _)) => {
                let words: Vec<_> = command.split(' ').map(str::to_owned).collect();
                Self::new(&words, true)
            }
            None => {
                let words: Vec<_> =
                    text.trim_end_matches('\0').split('\0').map(str::to_owned).collect();
                Self::new(&words, false)
            }
        }
    }

    /// Reads words. `is_joined`: blanks within a word may have split it.
    pub(crate) fn new(words: &[String], is_joined: bool) -> Self {
        let mut words = words.iter().peekable();
        let program = words.next().cloned().unwrap_or_default();
        let mut options = Vec::new();
        while let Some(word) = words.next() {
            let Some(letters) = word.strip_prefix('-').filter(|rest| !rest.is_empty()) else {
                break;
            };
            // Several letters may share a word, and the last may have its value there: -Dp2222.
            let Some(at) = letters.find(TAKE_A_VALUE) else { continue };
            let (letter, rest) = letters.split_at(at).1.split_at(1);
            let mut value = match rest {
                "" => words.next().cloned().unwrap_or_default(),
                rest => rest.to_owned(),
            };
            while is_joined && let Some(more) = words.next_if(|word| !word.starts_with('-')) {
                value = format!("{value} {more}");
            }
            let letter = letter.chars().next().filter(|letter| CONFIGURE.contains(letter));
            options.extend(letter.map(|letter| (letter, value)));
        }
        Self { program, options }
    }

    /// Returns the options as words of a command.
    pub(crate) fn words(&self) -> Vec<String> {
        self.options
            .iter()
            .flat_map(|(letter, value)| [format!("-{letter}"), value.clone()])
            .collect()
    }

    /// Returns it as a text.
    pub(crate) fn text(&self) -> String {
        let words = [self.program.clone()].into_iter().chain(self.words());
        words.collect::<Vec<_>>().join(" ")
    }

    /// Returns the keywords that options set (`-o`), in lower case.
    pub(crate) fn keywords(&self) -> Vec<String> {
        let values =
            self.options.iter().filter(|(letter, _)| *letter == 'o').map(|(_, value)| value);
        let keyword = |value: &String| {
            let word =
                value.trim_start().split(|letter: char| letter == '=' || letter.is_whitespace());
            word.into_iter().next().map(str::to_ascii_lowercase)
        };
        values.filter_map(keyword).collect()
    }
}

/// The letters of sshd that take a value.
const TAKE_A_VALUE: [char; 11] = ['C', 'E', 'b', 'c', 'f', 'g', 'h', 'k', 'o', 'p', 'u'];
/// Those that change what `sshd -T` prints.
const CONFIGURE: [char; 4] = ['f', 'h', 'o', 'p'];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_options_of_a_listener_are_read() {
        for (text, program, options, keywords) in [
            ("/usr/sbin/sshd\0", "/usr/sbin/sshd", "", ""),
            ("sshd: /usr/sbin/sshd -D [listener] 0 of 10-100 startups", "/usr/sbin/sshd", "", ""),
            (
                "/usr/sbin/sshd\0-D\0-f\0/etc/ssh/a b\0-oUsePAM=no\0-o\0PasswordAuthentication yes\0",
                "/usr/sbin/sshd",
                "-f|/etc/ssh/a b|-o|UsePAM=no|-o|PasswordAuthentication yes",
                "usepam passwordauthentication",
            ),
            (
                "sshd: /usr/sbin/sshd -D -o AuthenticationMethods publickey password -Dp2222 -E /x -u0 \
                 -f /etc/ssh/other [listener] 1 of 10-100 startups",
                "/usr/sbin/sshd",
                "-o|AuthenticationMethods publickey password|-p|2222|-f|/etc/ssh/other",
                "authenticationmethods",
            ),
            ("/usr/sbin/sshd\0-4\0-De\0-h\0/key\0", "/usr/sbin/sshd", "-h|/key", ""),
            ("/usr/sbin/sshd\0-f\0", "/usr/sbin/sshd", "-f|", ""),
            ("", "", "", ""),
        ] {
            let found = CommandLine::of_process(text);
            assert_eq!(found.program, program, "{text}");
            assert_eq!(found.words().join("|"), options, "{text}");
            assert_eq!(found.keywords().join(" "), keywords, "{text}");
        }
    }
}
