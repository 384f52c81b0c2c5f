//! Login names.

use alloc::borrow::ToOwned;
use alloc::string::String;
use core::fmt;

/// A login name that NSS may know: 1 to 256 bytes, without control characters, `:` and `/`.
///
/// No line of passwd can hold these characters.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct UserName(String);

impl UserName {
    /// Parses a name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let is_valid = (1..=MAX_USER_NAME_BYTES).contains(&text.len())
            && !text.chars().any(|c| c.is_control() || c == ':' || c == '/');
        is_valid.then(|| Self(text.to_owned()))
    }

    /// Returns the name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for UserName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

const MAX_USER_NAME_BYTES: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_passwd_cannot_hold_is_refused() {
        for (text, is_valid) in [
            ("alice", true),
            ("DOMAIN\\alice", true),
            ("alice@example.org", true),
            ("jürgen", true),
            ("with space", true),
            ("", false),
            ("../x", false),
            ("a:b", false),
            ("a\nb", false),
            ("a\0b", false),
            (&"x".repeat(256), true),
            (&"x".repeat(300), false),
        ] {
            assert_eq!(UserName::parse(text).is_some(), is_valid, "{text:?}");
        }
    }

    #[test]
    fn names_that_differ_by_case_differ() {
        assert_ne!(UserName::parse("Alice"), UserName::parse("alice"));
    }
}
