//! The `Match` blocks in sshd's configuration.

use std::fs;
use std::path::{Path, PathBuf};

use glob::MatchOptions;

use crate::host::sshd::quoted_words;

/// A `Match` block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Block {
    /// The file and the line.
    pub(crate) place: (String, usize),
    /// The words of the criteria, without quotes.
    pub(crate) words: Vec<String>,
    /// Those of the blocks whose `Include` line reads the file of this one. They have to match too.
    pub(crate) outer: Vec<String>,
}

impl Block {
    /// Returns the criteria, as they are written.
    pub(crate) fn criteria(&self) -> String {
        self.words.join(" ")
    }

    /// Returns the words of all criteria.
    pub(crate) fn all_words(&self) -> Vec<String> {
        self.outer.iter().chain(&self.words).cloned().collect()
    }

    /// Reports whether its own criteria match every connection.
    pub(crate) fn is_for_all(&self) -> bool {
        self.words.first().is_some_and(|word| word.eq_ignore_ascii_case("all"))
    }
}

/// Returns all blocks of a configuration and of the files that it includes, in the order in which
/// sshd reads them.
pub(crate) fn blocks(path: &Path) -> Vec<Block> {
    let mut blocks = Vec::new();
    read(path, 0, &[], &mut blocks);
    blocks
}

fn read(path: &Path, depth: u8, outer: &[String], blocks: &mut Vec<Block>) {
    // The criteria of the block in which a line stands.
    let mut here = outer.to_vec();
    let text = fs::read(path).unwrap_or_default();
    for (index, line) in String::from_utf8_lossy(&text).lines().enumerate() {
        let words = words(line);
        let Some((keyword, rest)) = words.split_first() else { continue };
        if keyword.eq_ignore_ascii_case("match") {
            let place = (path.display().to_string(), index + 1);
            here = [outer, rest].concat();
            blocks.push(Block { place, words: rest.to_vec(), outer: outer.to_vec() });
        } else if keyword.eq_ignore_ascii_case("include") && depth < MAX_INCLUDE_DEPTH {
            for pattern in rest {
                let pattern = Path::new(FOLDER).join(pattern);
                files(&pattern.to_string_lossy())
                    .for_each(|file| read(&file, depth + 1, &here, blocks));
            }
        }
    }
}

/// Returns the files that a pattern matches. As for sshd, `*` does not match a hidden one.
pub(crate) fn files(pattern: &str) -> impl Iterator<Item = PathBuf> + use<> {
    let options = MatchOptions { require_literal_leading_dot: true, ..MatchOptions::new() };
    glob::glob_with(pattern, options).into_iter().flatten().flatten()
}

/// The folder in which sshd resolves a relative path, wherever its main file is.
pub(crate) const FOLDER: &str = "/etc/ssh";
/// The limit of sshd.
const MAX_INCLUDE_DEPTH: u8 = 16;

/// Splits a line at spaces and `=`, as sshd does.
pub(crate) fn words(line: &str) -> Vec<String> {
    quoted_words::split(line, |letter| letter.is_whitespace() || letter == '=', Some('#'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_split_as_sshd_splits_it() {
        for (line, expected) in [
            ("  # Match User git", &[][..]),
            ("Match User=git # in here", &["Match", "User", "git"]),
            ("match Group \"domain users\",'x'", &["match", "Group", "domain users,x"]),
            ("Include=\"a b\" c", &["Include", "a b", "c"]),
        ] {
            assert_eq!(words(line), expected, "{line}");
        }
    }

    #[test]
    fn included_files_are_searched_up_to_a_depth() {
        let folder = tempfile::tempdir().unwrap();
        let (first, second) = (folder.path().join("first"), folder.path().join("second.conf"));
        let text = format!("Port 22\nInclude {}/*.conf\nMatch all\n", folder.path().display());
        fs::write(&first, text).unwrap();
        fs::write(&second, format!("\nMatch User git\nInclude {}\n", second.display())).unwrap();
        let places: Vec<_> = blocks(&first).into_iter().map(|block| block.place).collect();
        assert_eq!(places.len(), usize::from(MAX_INCLUDE_DEPTH) + 1);
        let outer = |index: usize| blocks(&first)[index].outer.join(" ");
        assert_eq!((outer(0), outer(2)), (String::new(), "User git User git".into()));
        fs::write(folder.path().join(".hidden.conf"), "Match all\n").unwrap();
        assert_eq!(blocks(&first).len(), places.len());
        assert_eq!(places[0], (second.display().to_string(), 2));
        assert_eq!(places.last(), Some(&(first.display().to_string(), 3)));
    }
}
