//! The file that says which entry is whose: a line `NAME USER` for each.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::error::Error;

/// Reads the names of entries, each with its user.
pub(super) fn read(file: &Path) -> Result<BTreeMap<String, String>, Error> {
    let text = fs::read_to_string(file)
        .map_err(|error| Error::refused(format!("cannot read {}: {error}", file.display())))?;
    parse(&text).map_err(|reason| Error::refused(format!("{}: {reason}", file.display())))
}

fn parse(text: &str) -> Result<BTreeMap<String, String>, String> {
    let mut map = BTreeMap::new();
    for (number, line) in (1..).zip(text.trim_start_matches('\u{feff}').lines()) {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        // A name may have blanks in it, and the name of a user has none.
        let (name, user) = line
            .rsplit_once([' ', '\t'])
            .ok_or_else(|| format!("line {number} must be NAME USER"))?;
        if map.insert(name.trim().to_owned(), user.to_owned()).is_some() {
            return Err(format!("line {number} names an entry that an earlier line names too"));
        }
    }
    Ok(map)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_name_and_a_user() {
        let map = parse("\u{feff}# tokens\r\nT-1001 alice\r\n\nBob's token\tbob\n").unwrap();
        let pairs: Vec<_> = map.iter().map(|(name, user)| (name.as_str(), user.as_str())).collect();
        assert_eq!(pairs, [("Bob's token", "bob"), ("T-1001", "alice")]);
        assert!(parse("alone").unwrap_err().contains("line 1"));
        assert!(parse("a b\na c").unwrap_err().contains("line 2"));
    }
}
