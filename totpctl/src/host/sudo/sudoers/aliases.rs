//! The aliases of sudoers.

use std::collections::{BTreeMap, BTreeSet};

use super::alias_line::AliasKind;

/// All aliases.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Aliases {
    /// The members of each alias.
    members: BTreeMap<(AliasKind, String), Vec<String>>,
    /// The lines, each with the names that it defines.
    lines: Vec<(Vec<String>, String)>,
}

impl Aliases {
    /// Adds the aliases of one line.
    pub(super) fn add(&mut self, line: &str, kind: AliasKind, found: Vec<(String, Vec<String>)>) {
        self.lines.push((defined_names(line), line.to_owned()));
        for (name, members) in found {
            // sudo ignores the second one of a name.
            self.members.entry((kind, name)).or_insert(members);
        }
    }

    /// Returns a list with aliases of this kind replaced by their members, each once. The last
    /// mention of a name stays, because it decides.
    pub(super) fn expand(&self, kind: AliasKind, names: &[String]) -> Vec<String> {
        let (mut found, mut seen) = (Vec::new(), BTreeSet::new());
        let mut waiting = names.to_vec();
        while let Some(name) = waiting.pop() {
            let plain = name.trim_start_matches('!');
            // Two negations are none.
            let sign = if (name.len() - plain.len()) % 2 == 1 { "!" } else { "" };
            // It is mentioned behind this. And an alias that names itself has no more members.
            if !seen.insert(plain.to_owned()) {
                continue;
            }
            match self.members.get(&(kind, plain.to_owned())) {
                Some(members) => {
                    waiting.extend(members.iter().map(|member| format!("{sign}{member}")));
                }
                None => found.push(format!("{sign}{plain}")),
            }
        }
        found.reverse();
        found
    }

    /// Returns the lines of the aliases that a text names, also through other aliases. Returns
    /// nothing if it names none.
    pub(super) fn lines_named_by(&self, text: &str) -> Option<String> {
        let mut texts = vec![text];
        let mut found = BTreeMap::new();
        while let Some(text) = texts.pop() {
            let words: BTreeSet<_> = words_of(text).collect();
            for (index, (names, line)) in self.lines.iter().enumerate() {
                let is_named = names.iter().any(|name| words.contains(name.as_str()));
                if is_named && found.insert(index, line.as_str()).is_none() {
                    texts.push(line);
                }
            }
        }
        let found: Vec<_> = found.into_values().collect();
        (!found.is_empty()).then(|| found.join("\n"))
    }
}

/// Returns the names that a line of aliases defines: the word before each `=`. An option of a
/// command (`--a=b`) is no name, but nothing is named like it either.
fn defined_names(line: &str) -> Vec<String> {
    let mut parts: Vec<_> = line.split('=').collect();
    parts.pop();
    parts.iter().filter_map(|part| words_of(part).last()).map(ToOwned::to_owned).collect()
}

fn words_of(text: &str) -> impl Iterator<Item = &str> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    words.filter(|word| !word.is_empty())
}
