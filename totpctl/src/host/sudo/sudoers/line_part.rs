//! The parts of a line of sudoers that a backslash joins, without the comment.

use super::words::BLANKS;

/// Where in a line the reader is.
#[derive(Debug, Default)]
pub(super) struct PartReader {
    /// True for a line of settings, which has no commands with arguments.
    is_of_settings: bool,
    /// How many characters of the next part begin no comment, because it includes a file.
    skipped: usize,
    /// True within quotes.
    is_quoted: bool,
    /// True within a command, where quotes mean nothing.
    is_command: bool,
}

impl PartReader {
    /// Returns a reader of the line that begins with this part.
    pub(super) fn new(first: &str) -> Self {
        let line = first.trim_start_matches(BLANKS);
        let is_include = line
            .strip_prefix("#include")
            .is_some_and(|rest| rest.strip_prefix("dir").unwrap_or(rest).starts_with([' ', '\t']));
        let skipped = if is_include { first.len() - line.len() + 1 } else { 0 };
        let is_of_settings = first.trim_start_matches(BLANKS).starts_with("Defaults");
        Self { is_of_settings, skipped, ..Self::default() }
    }

    /// Returns the next part without its comment, and whether another part follows.
    pub(super) fn part<'a>(&mut self, part: &'a str) -> (&'a str, bool) {
        let skipped = std::mem::take(&mut self.skipped);
        let (mut is_escaped, mut is_word) = (false, false);
        for (index, c) in part.char_indices().skip(skipped) {
            let rest = part.get(index..).unwrap_or_default();
            if std::mem::take(&mut is_escaped) {
                is_word = true;
                continue;
            }
            match c {
                '\\' => is_escaped = true,
                '"' if self.is_quoted => self.is_quoted = false,
                '"' if !self.is_command => self.is_quoted = true,
                _ if self.is_quoted => {}
                '#' if is_comment(rest) => return (part.get(..index).unwrap_or(part), false),
                ',' | ':' => self.is_command = false,
                _ if !is_word && !self.is_of_settings => {
                    self.is_command |= COMMANDS.iter().any(|start| rest.starts_with(start));
                }
                _ => {}
            }
            is_word = !BLANKS.contains(&c) && !SIGNS.contains(&c);
        }
        match part.strip_suffix('\\').filter(|_| is_escaped) {
            Some(before) => (before, true),
            None => (part, false),
        }
    }
}

/// Reports whether `#` begins a comment. Before a number it means a uid.
fn is_comment(text: &str) -> bool {
    let after = text.get(1..).unwrap_or_default();
    let after = after.strip_prefix('-').unwrap_or(after);
    !after.starts_with(|c: char| c.is_ascii_digit())
}

/// What begins a command that has arguments.
const COMMANDS: [&str; 4] = ["/", "^", "sudoedit ", "sudoedit\t"];
/// What may stand right before one.
const SIGNS: [char; 6] = [',', ':', '=', '(', ')', '!'];
