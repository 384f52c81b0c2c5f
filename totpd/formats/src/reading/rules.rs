//! What a reader is told beside the bytes, and what it tells beside the entries.

use std::fmt;

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::reading::part::Part;

/// What a reader is told beside the bytes.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    /// The time of now, in seconds since 1970.
    pub now: u64,
    /// The seconds by which local time was ahead of UTC on the host that wrote the file, all that
    /// occurred. Empty if nobody knows: then every zone is reckoned with.
    pub utc_offsets: Vec<i32>,
}

/// A passphrase or a key, as a person types it. It is wiped when dropped and prints `[redacted]`.
#[derive(Clone)]
pub struct Passphrase(Zeroizing<String>);

impl Passphrase {
    /// Returns the passphrase of this text.
    #[must_use]
    pub fn new(text: Zeroizing<String>) -> Self {
        Self(text)
    }

    /// Returns the text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// What a reader tells at the end.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Summary {
    /// The number of entries.
    pub entries: u64,
    /// The parts of an export that were read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<Part>,
}
