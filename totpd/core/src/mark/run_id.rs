//! The id of one start of the daemon.

use serde::{Deserialize, Serialize};

/// One start of the daemon: random bytes that each start draws.
///
/// A witness speaks only of the marks of its own run. It says nothing of those of a store that came
/// from another host, or from a snapshot.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct RunId(pub(super) [u8; 16]);

impl RunId {
    /// Returns the id of these random bytes.
    #[must_use]
    pub fn from_random(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }
}
