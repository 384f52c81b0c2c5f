//! The id of a key, by which a store names it.

use std::fmt;

use data_encoding::BASE32_NOPAD;

/// The id of a key: `k-` and eight lower-case base32 characters, derived from the key by a one-way
/// function. It distinguishes keys and nothing else.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct KeyId(String);

impl KeyId {
    /// Returns the id of a key with this hash.
    pub(super) fn from_hash(hash: [u8; 5]) -> Self {
        Self(format!("k-{}", BASE32_NOPAD.encode(&hash).to_ascii_lowercase()))
    }

    /// Returns the id that was written somewhere, which may be any text.
    #[must_use]
    pub fn from_text(text: &str) -> Self {
        Self(text.chars().filter(|c| !c.is_control()).take(16).collect())
    }

    /// Returns the id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
