//! The key of a record: a user name, or a bucket of names that no user has.

use alloc::borrow::Cow;
use alloc::string::String;
use core::fmt;

use hmac::Hmac;
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::hmac::{keyed, tag};
use crate::user_name::UserName;

/// The key of a record.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum RecordKey {
    /// A bucket of names that no user has, 0 to [`BUCKET_COUNT`] - 1. Such names are throttled like
    /// users, and an attacker who invents names fills a fixed amount of disk.
    Bucket(u16),
    /// A user name.
    User(UserName),
}

impl RecordKey {
    /// Returns the key whose row has this name; `None` if no row can have it.
    #[must_use]
    pub fn parse(row: &str) -> Option<Self> {
        let Some(number) = row.strip_prefix(':') else {
            return UserName::parse(row).map(Self::User);
        };
        let bucket = Self::Bucket(number.parse().ok()?);
        (bucket.as_row_name() == row).then_some(bucket)
    }

    /// Returns the name of the row in the store. The name of a bucket starts with a colon, which no
    /// user name holds.
    #[must_use]
    pub fn as_row_name(&self) -> Cow<'_, str> {
        match self {
            Self::Bucket(number) => Cow::Owned(bucket_name(*number)),
            Self::User(name) => Cow::Borrowed(name.as_str()),
        }
    }
}

/// Returns a colon and the number. `format!` takes a fiftieth of a question, which names of no user
/// would take longer than others.
fn bucket_name(number: u16) -> String {
    let mut name = String::with_capacity(6);
    name.push(':');
    for place in [10_000, 1000, 100, 10, 1] {
        if number >= place || place == 1 {
            let digit = u8::try_from(number / place % 10).unwrap_or_default();
            name.push(char::from(b'0' + digit));
        }
    }
    name
}

impl fmt::Display for RecordKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.as_row_name())
    }
}

/// Puts names into buckets. Only the holder of the secret knows which names share a bucket.
pub struct Buckets(Hmac<Sha256>);

impl Buckets {
    /// Returns the buckets under this secret of 32 random bytes.
    #[must_use]
    pub fn new(secret: &Zeroizing<[u8; 32]>) -> Self {
        Self(keyed(secret.as_slice()))
    }

    /// Returns the bucket of `name`, which may be any text.
    #[must_use]
    pub fn bucket_of(&self, name: &str) -> RecordKey {
        let hash = tag(self.0.clone(), name.as_bytes());
        let number = hash.first_chunk().map_or(0, |bytes| u16::from_be_bytes(*bytes));
        RecordKey::Bucket(number % BUCKET_COUNT)
    }
}

/// The number of buckets. At about 250 bytes each, they take at most 4 MB of disk.
pub const BUCKET_COUNT: u16 = 16_384;

#[cfg(test)]
mod tests {
    use alloc::format;

    use super::*;

    #[test]
    fn every_text_has_a_bucket_below_the_count() {
        let buckets = Buckets::new(&Zeroizing::new([7; 32]));
        let mut used = std::collections::BTreeSet::new();
        for n in 0..20_000 {
            let RecordKey::Bucket(number) = buckets.bucket_of(&format!("user{n}")) else {
                panic!("{n}")
            };
            used.insert(number);
        }
        assert!(*used.last().unwrap() < BUCKET_COUNT);
        assert!(used.len() > 10_000, "{}", used.len());
        assert_eq!(buckets.bucket_of(""), buckets.bucket_of(""));
    }

    #[test]
    fn a_row_name_has_one_key_at_most() {
        for (row, expected) in [
            ("alice", Some(RecordKey::User(UserName::parse("alice").unwrap()))),
            (":7", Some(RecordKey::Bucket(7))),
            (":07", None),
            (":", None),
            (":70000", None),
            ("a/b", None),
            ("", None),
        ] {
            assert_eq!(RecordKey::parse(row), expected, "{row}");
        }
    }

    #[test]
    fn the_name_of_a_bucket_is_its_number() {
        for number in 0..=u16::MAX {
            assert_eq!(RecordKey::Bucket(number).as_row_name(), format!(":{number}"));
        }
    }

    #[test]
    fn no_user_has_the_row_of_a_bucket() {
        assert_eq!(UserName::parse(&RecordKey::Bucket(7).as_row_name()), None);
    }

    #[test]
    fn a_key_prints_the_name_of_its_row() {
        for name in ["alice", ":7"] {
            assert_eq!(RecordKey::parse(name).map(|key| format!("{key}")).as_deref(), Some(name));
        }
    }
}
