//! The id of a factor.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use core::fmt;

use data_encoding::BASE32_NOPAD;
use serde::{Deserialize, Serialize};

/// The id of a factor: `f-` and eight lower-case base32 characters. It is unique for one user.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct FactorId(String);

impl FactorId {
    /// Returns the id of these random bytes.
    #[must_use]
    pub fn from_random(bytes: [u8; 5]) -> Self {
        Self(format!("f-{}", BASE32_NOPAD.encode(&bytes).to_ascii_lowercase()))
    }

    /// Parses an id.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix("f-")?;
        let is_valid = |c: char| matches!(c, 'a'..='z' | '2'..='7');
        (digits.len() == 8 && digits.chars().all(is_valid)).then(|| Self(text.to_owned()))
    }

    /// Returns the id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for FactorId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_short_and_lower_case() {
        assert_eq!(FactorId::from_random([0; 5]).as_str(), "f-aaaaaaaa");
        assert_eq!(FactorId::from_random([255; 5]).as_str(), "f-77777777");
        assert_eq!(FactorId::parse("f-aaaaaaaa"), Some(FactorId::from_random([0; 5])));
        for text in ["", "f-", "f-aaaaaaa", "f-aaaaaaaaa", "f-AAAAAAAA", "f-aaaaaaa1", "x-aaaaaaaa"]
        {
            assert_eq!(FactorId::parse(text), None, "{text}");
        }
    }
}
