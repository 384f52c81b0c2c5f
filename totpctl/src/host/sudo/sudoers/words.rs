//! Words and lists of sudoers.

/// What separates words. sudo takes all other blanks, as of Unicode, for a part of a word.
pub(super) const BLANKS: [char; 2] = [' ', '\t'];

/// A text that is read from its start.
pub(super) struct Words<'a>(pub(super) &'a str);

impl<'a> Words<'a> {
    /// Skips blanks, and reports whether nothing is left.
    pub(super) fn is_at_end(&mut self) -> bool {
        self.0 = self.0.trim_start_matches(BLANKS);
        self.0.is_empty()
    }

    /// Skips blanks and this character, if it is next.
    pub(super) fn skip(&mut self, c: char) -> bool {
        self.0 = self.0.trim_start_matches(BLANKS);
        match self.0.strip_prefix(c) {
            Some(rest) => {
                self.0 = rest;
                true
            }
            None => false,
        }
    }

    fn skip_text(&mut self, text: &str) -> bool {
        let rest = self.0.strip_prefix(text);
        self.0 = rest.unwrap_or(self.0);
        rest.is_some()
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
        text.trim_matches(BLANKS)
    }

    /// Returns a command with its arguments, up to a comma or a colon that is not escaped. Quotes
    /// mean nothing there.
    ///
    /// # Errors
    /// It has a regular expression with such a character, which versions of sudo read differently.
    pub(super) fn command(&mut self) -> Result<&'a str, &'static str> {
        let (mut is_escaped, mut is_word, mut is_expression) = (false, false, false);
        let end = self.0.char_indices().find_map(|(index, c)| {
            let was_escaped = is_escaped;
            is_escaped = c == '\\' && !was_escaped;
            is_expression = match c {
                '^' => is_expression || !is_word,
                '$' => is_expression && was_escaped,
                _ => is_expression,
            };
            is_word = !BLANKS.contains(&c);
            (!was_escaped && [',', ':'].contains(&c)).then_some(index)
        });
        let (text, rest) = self.0.split_at(end.unwrap_or(self.0.len()));
        self.0 = rest;
        match is_expression && end.is_some() {
            true => Err("a regular expression has a comma or a colon"),
            false => Ok(text.trim_matches(BLANKS)),
        }
    }

    /// Skips negations, and reports whether they are one. Two are none.
    pub(super) fn skip_negations(&mut self) -> bool {
        let mut is_negated = false;
        while self.skip('!') {
            is_negated = !is_negated;
        }
        is_negated
    }

    /// Skips the digest of a command, and the comma to another digest.
    pub(super) fn skip_digest(&mut self) -> bool {
        let rest = self.0.trim_start_matches(BLANKS);
        let is_digest =
            rest.starts_with("sha") && rest.get(3..6).is_some_and(|size| DIGESTS.contains(&size));
        let after = rest.get(6..).unwrap_or_default().trim_start_matches(BLANKS);
        let Some(after) = after.strip_prefix(':').filter(|_| is_digest) else { return false };
        self.0 = after.trim_start_matches(BLANKS);
        self.until(&[' ', '\t', ',']);
        self.skip(',');
        true
    }

    /// Returns a list of names, which commas separate. Blanks end it.
    pub(super) fn list(&mut self) -> Vec<String> {
        self.list_until(&[' ', '\t', ',', '=', ':'])
    }

    /// Returns a list of names, each of which one of `ends` ends.
    pub(super) fn list_until(&mut self, ends: &[char]) -> Vec<String> {
        let mut names = Vec::new();
        loop {
            self.0 = self.0.trim_start_matches(BLANKS);
            let mut negation = String::new();
            while self.skip('!') {
                negation.push('!');
            }
            self.0 = self.0.trim_start_matches(BLANKS);
            // A group that the system does not have.
            let prefix = if self.skip_text("%:") { "%:" } else { "" };
            names.push(format!("{negation}{prefix}{}", name(self.until(ends))));
            if !self.skip(',') {
                return names;
            }
        }
    }
}

/// Returns a name without its quotes and escapes. It keeps quotes if versions of sudo read it
/// differently ([`is_doubtful`]).
fn name(text: &str) -> String {
    let (plain, has_number) = plain(text);
    // Most versions take no quoted or escaped word for an alias, or for ALL.
    match has_number || (plain != text && is_alias(&plain)) {
        true => format!("\"{}\"", text.trim_matches('"')),
        false => plain,
    }
}

/// Reports whether it is not certain who has a name.
pub(super) fn is_doubtful(name: &str) -> bool {
    // The file may have another byte in its place.
    name.starts_with('"') || name.contains(char::REPLACEMENT_CHARACTER)
}

/// Reports whether a name may be that of an alias.
pub(super) fn is_alias(name: &str) -> bool {
    let is_inner = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    name.starts_with(|c: char| c.is_ascii_uppercase()) && name.chars().all(is_inner)
}

/// Returns a text without its quotes and escapes.
pub(super) fn unquote(text: &str) -> String {
    plain(text).0
}

/// Returns a text without its quotes and escapes, and whether it has a character as a number
/// (`\x41`).
fn plain(text: &str) -> (String, bool) {
    let bare = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text);
    let mut rest = bare;
    let (mut plain, mut has_number) = (String::with_capacity(bare.len()), false);
    while let Some((before, escaped)) = rest.split_once('\\') {
        plain.push_str(before);
        let digits = escaped.strip_prefix('x').and_then(|digits| digits.split_at_checked(2));
        let number =
            digits.and_then(|(digits, after)| Some((u8::from_str_radix(digits, 16).ok()?, after)));
        rest = match number {
            Some((byte, after)) => {
                has_number = true;
                plain.push(match byte.is_ascii() {
                    true => char::from(byte),
                    false => char::REPLACEMENT_CHARACTER,
                });
                after
            }
            None => {
                let mut chars = escaped.chars();
                plain.extend(chars.next());
                chars.as_str()
            }
        };
    }
    plain.push_str(rest);
    (plain, has_number)
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
            ("ALL, ! bob, ! ! eve ALL", &["ALL", "!bob", "!!eve"], "ALL"),
            ("%:ops, \"%:some ops\", %#27 ALL", &["%:ops", "%:some ops", "%#27"], "ALL"),
            ("\\x62ob, \"BOB\", \"bob\" ALL", &["\"\\x62ob\"", "\"BOB\"", "bob"], "ALL"),
        ] {
            let mut words = Words(text);
            assert_eq!(words.list(), expected);
            assert_eq!(words.0.trim_start(), rest);
        }
    }

    #[test]
    fn quoted_and_escaped_characters_end_nothing() {
        let mut words = Words("a=\"x,y\" b\\,c , next");
        assert_eq!(words.until(&[',']), "a=\"x,y\" b\\,c");
        assert!(words.skip(',') && !words.is_at_end());
    }

    #[test]
    fn quotes_mean_nothing_in_a_command() {
        for (text, expected, rest) in [
            ("/bin/echo \", NOPASSWD: /bin/b", Ok("/bin/echo \""), ", NOPASSWD: /bin/b"),
            ("/bin/a b\\,c\\\\, d", Ok("/bin/a b\\,c\\\\"), ", d"),
            ("^/bin/(a|b)$ , c", Ok("^/bin/(a|b)$"), ", c"),
            ("/bin/a b^c, d", Ok("/bin/a b^c"), ", d"),
            ("/bin/a ^b{1,2}$", Err("a regular expression has a comma or a colon"), ",2}$"),
        ] {
            let mut words = Words(text);
            assert_eq!(words.command(), expected, "{text}");
            assert_eq!(words.0, rest, "{text}");
        }
    }

    #[test]
    fn numbers_are_characters() {
        assert_eq!(unquote("\"\\x2d1 \\\"a\\x\""), "-1 \"ax");
        assert_eq!(unquote("\\xe9"), "\u{fffd}");
    }
}
