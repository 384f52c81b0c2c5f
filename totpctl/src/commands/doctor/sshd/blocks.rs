//! The `Match` blocks in sshd's configuration.

use std::fs;
use std::path::Path;

use super::quoted_words;

/// A `Match` block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Block {
    /// The file and the line.
    pub(super) place: (String, usize),
    /// The words of the criteria, without quotes.
    pub(super) words: Vec<String>,
}

impl Block {
    /// Returns the criteria, as they are written.
    pub(super) fn criteria(&self) -> String {
        self.words.join(" ")
    }
}

/// Returns all blocks of a configuration and of the files that it includes, in the order in which
/// sshd reads them.
pub(super) fn blocks(path: &Path) -> Vec<Block> {
    let mut blocks = Vec::new();
    read(path, 0, &mut blocks);
    blocks
}

fn read(path: &Path, depth: u8, blocks: &mut Vec<Block>) {
    let text = fs::read(path).unwrap_or_default();
    for (index, line) in String::from_utf8_lossy(&text).lines().enumerate() {
        let words = words(line);
        let Some((keyword, rest)) = words.split_first() else { continue };
        if keyword.eq_ignore_ascii_case("match") {
            let place = (path.display().to_string(), index + 1);
            blocks.push(Block { place, words: rest.to_vec() });
        } else if keyword.eq_ignore_ascii_case("include") && depth < MAX_INCLUDE_DEPTH {
            for pattern in rest {
                let pattern = Path::new(FOLDER).join(pattern);
                let files = glob::glob(&pattern.to_string_lossy()).into_iter().flatten().flatten();
                files.for_each(|file| read(&file, depth + 1, blocks));
            }
        }
    }
}

/// The folder in which sshd resolves a relative path, wherever its main file is.
pub(super) const FOLDER: &str = "/etc/ssh";
/// The limit of sshd.
const MAX_INCLUDE_DEPTH: u8 = 16;

/// Splits a line at spaces and `=`, as sshd does.
pub(super) fn words(line: &str) -> Vec<String> {
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
        assert_eq!(places[0], (second.display().to_string(), 2));
        assert_eq!(places.last(), Some(&(first.display().to_string(), 3)));
    }
}
