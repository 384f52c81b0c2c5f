//! What the drop-in contains. A file that totpctl did not write, or that was edited since, is left
//! as it is. Pure.

use super::line::Line;

/// What a file of that name contains.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Content {
    /// What totpctl wrote.
    Own(Vec<Line>),
    /// What totpctl wrote, and another program changed.
    Edited,
    /// Something else.
    Foreign,
}

impl Content {
    pub(crate) fn parse(text: &str) -> Self {
        let lines = own_lines(text);
        match text.starts_with(HEADER) {
            _ if text == self::text(&lines) => Self::Own(lines),
            true => Self::Edited,
            false => Self::Foreign,
        }
    }
}

/// Returns the lines of totpctl in a text.
pub(crate) fn own_lines(text: &str) -> Vec<Line> {
    let has = |line: &Line| text.lines().any(|other| other == line.text(' '));
    Line::ALL.into_iter().filter(has).collect()
}

/// Reports whether passwords alone may let users in while sshd obeys a file with these lines, and
/// the stack asks for no code. Where sshd took passwords before, the lines turn that method off,
/// and open nothing that was closed.
pub(crate) fn opens(lines: &[Line]) -> bool {
    !(lines.is_empty() || lines.contains(&Line::NoPasswords))
}

/// Returns the text of the drop-in with these lines.
pub(crate) fn text(lines: &[Line]) -> String {
    let lines: String = lines.iter().map(|line| line.text(' ') + "\n").collect();
    format!("{HEADER}{REST}{lines}")
}

/// The command that writes the file.
pub(crate) const COMMAND: &str = "totpctl enable sshd --write-sshd";
/// The name sorts before those of distributions: sshd obeys the first line of a keyword.
pub(crate) const FILE: &str = "/etc/ssh/sshd_config.d/10-totp.conf";
const HEADER: &str = "# Written by totpctl";
/// Hosts have files with this text. If it changes, [`Content::parse`] has to know the old one too.
const REST: &str = ", so that sshd can ask for a code. \"totpctl disable sshd\" removes this file,\n\
                    # unless it was changed.\n";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_of_a_host_that_an_earlier_version_wrote_is_the_own_one() {
        let written = "# Written by totpctl, so that sshd can ask for a code. \"totpctl disable sshd\" removes \
                       this file,\n# unless it was changed.\nKbdInteractiveAuthentication yes\n\
                       PasswordAuthentication no\n";
        assert_eq!(Content::parse(written), Content::Own(vec![Line::Ask, Line::NoPasswords]));
    }

    #[test]
    fn only_a_host_that_took_no_passwords_is_opened() {
        for (lines, expected) in [
            (&[Line::Ask][..], true),
            (&[Line::UsePam, Line::AskOld], true),
            (&[Line::Ask, Line::NoPasswords], false),
            (&[], false),
        ] {
            assert_eq!(opens(lines), expected, "{lines:?}");
        }
    }

    #[test]
    fn only_an_unchanged_file_is_the_own_one() {
        for lines in [&[Line::Ask][..], &[Line::UsePam, Line::AskOld, Line::NoPasswords], &[]] {
            let own = text(lines);
            assert_eq!(Content::parse(&own), Content::Own(lines.to_vec()));
            assert_eq!(Content::parse(&format!("{own}Port 2222\n")), Content::Edited);
            assert_eq!(Content::parse(own.trim_end()), Content::Edited);
        }
        let by_hand = "KbdInteractiveAuthentication yes\nPasswordAuthentication no\n";
        assert_eq!(Content::parse(by_hand), Content::Foreign);
        assert_eq!(Content::parse(""), Content::Foreign);
    }
}
