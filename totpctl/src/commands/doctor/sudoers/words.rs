//! Words and lists of sudoers.

/// A text that is read from its start.
pub(super) struct Words<'a>(pub(super) &'a str);

impl<'a> Words<'a> {
    /// Skips blanks, and reports whether nothing is left.
    pub(super) fn is_at_end(&mut self) -> bool {
        self.0 = self.0.trim_start();
        self.0.is_empty()
    }

    /// Skips blanks and this character, if it is next.
    pub(super) fn skip(&mut self, c: char) -> bool {
        self.0 = self.0.trim_start();
        match self.0.strip_prefix(c) {
            Some(rest) => {
                self.0 = rest;
                true
            }
            None => false,
        }
    }

    /// Returns the text up to one of these characters, which is neither quoted nor escaped. Blanks
    /// around it are removed.
    pub(super) fn until(&mut self, ends: &[char]) -> &'a str {
        let (mut is_quoted, mut is_escaped) = (false, false);
        let end = self.0.char_indices().find_map(|(index, c)| {
            if is_escaped {
                is_escaped = false;
                return None;
            }
            is_escaped = c == '\\';
            is_quoted ^= c == '"';
            (!is_quoted && !is_escaped && ends.contains(&c)).then_some(index)
        });
        let (text, rest) = self.0.split_at(end.unwrap_or(self.0.len()));
        self.0 = rest;
        text.trim()
    }

    /// Skips the digest of a command, and the comma to another digest.
    pub(super) fn skip_digest(&mut self) -> bool {
        let rest = self.0.trim_start();
        let is_digest =
            rest.starts_with("sha") && rest.get(3..6).is_some_and(|size| DIGESTS.contains(&size));
        let after = rest.get(6..).unwrap_or_default().trim_start();
        let Some(after) = after.strip_prefix(':').filter(|_| is_digest) else { return false };
        self.0 = after.trim_start();
        self.until(&[' ', '\t', ',']);
        self.skip(',');
        true
    }

    /// Returns a list of names, which commas separate. Blanks end it.
    pub(super) fn list(&mut self) -> Vec<String> {
        let mut names = Vec::new();
        loop {
            self.0 = self.0.trim_start();
            let mut negation = String::new();
            while self.skip('!') {
                negation.push('!');
            }
            self.0 = self.0.trim_start();
            let name = self.until(&[' ', '\t', ',', '=', ':']);
            names.push(negation + &unquoted(name));
            if !self.skip(',') {
                return names;
            }
        }
    }
}

/// Returns a name without its quotes and escapes.
pub(super) fn unquoted(text: &str) -> String {
    let bare = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text);
    let mut chars = bare.chars();
    let mut plain = String::with_capacity(bare.len());
    while let Some(c) = chars.next() {
        plain.extend(if c == '\\' { chars.next() } else { Some(c) });
    }
    plain
}

const DIGESTS: [&str; 4] = ["224", "256", "384", "512"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_end_at_a_blank() {
        for (text, expected, rest) in [
            ("alice, %ops ,!bob ALL=", &["alice", "%ops", "!bob"][..], "ALL="),
            ("\"a b\",c\\,d ALL", &["a b", "c,d"], "ALL"),
            ("%DOM\\\\admins ALL", &["%DOM\\admins"], "ALL"),
        ] {
            let mut words = Words(text);
            assert_eq!(words.list(), expected);
            assert_eq!(words.0.trim_start(), rest);
        }
    }

    #[test]
    fn quoted_and_escaped_characters_end_nothing() {
        let mut words = Words("/bin/a \"x,y\" b\\,c , next");
        assert_eq!(words.until(&[',']), "/bin/a \"x,y\" b\\,c");
        assert!(words.skip(',') && !words.is_at_end());
    }
}
