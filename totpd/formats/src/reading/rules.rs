//! What a reader is told beside the bytes, and what it tells beside the entries.

use std::fmt;

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::reading::part::Part;

/// What a reader is told beside the bytes.
#[derive(Clone, Debug)]
pub struct Rules {
    /// The time of now, in seconds since 1970.
    pub now: u64,
    /// The seconds by which local time was ahead of UTC on the host that wrote the file, all that
    /// occurred. Empty if nobody knows: then every zone is reckoned with.
    pub utc_offsets: Vec<i32>,
    /// The digits of a code, where the entry of a usersfile leaves it to the PAM line (`digits=`).
    pub oath_digits: Option<u8>,
    /// The window of pam_oath (`window=`), 5 by default.
    pub oath_window: u64,
    /// The seconds of a time step, where the list of a vendor has none.
    pub period: Option<u32>,
}

impl Rules {
    /// Returns the rules for `now` (seconds since 1970), and nothing else known.
    #[must_use]
    pub fn at(now: u64) -> Self {
        Self { now, utc_offsets: Vec::new(), oath_digits: None, oath_window: 5, period: None }
    }
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
