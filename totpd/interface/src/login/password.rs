//! The reply of the daemon to `PasswordChanged`.

use crate::dictionary::{DictReader, Entries};
use crate::words::notice;

/// The reply of the daemon to `PasswordChanged`. The module needs nothing of it: no reply keeps a
/// password from being changed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct PasswordReply {
    /// The flag that logins were remembered, and no longer are.
    pub has_ended: bool,
}

impl PasswordReply {
    /// Reads a reply. Every word but `ended` reads as `false`.
    #[must_use]
    pub fn parse(word: &str, _: &impl DictReader) -> Self {
        Self { has_ended: word == notice::ENDED }
    }

    /// Returns the word of the reply.
    #[must_use]
    pub fn word(&self) -> &'static str {
        if self.has_ended { notice::ENDED } else { notice::UNCHANGED }
    }

    /// Returns the details of the reply: none.
    #[must_use]
    pub fn details(&self) -> Entries<'_> {
        Vec::new()
    }
}
