//! Building the dictionaries (`a{sv}`) that go over the bus.

use totpd_interface::Dictionary;
use zbus::Variant;

/// A dictionary that is being filled.
#[derive(Debug, Default)]
pub(crate) struct Reply(Dictionary);

impl Reply {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Adds a key. Values hold no descriptors, which are all that cannot be owned.
    pub(crate) fn with<'v>(mut self, key: &str, value: impl Into<Variant<'v>>) -> Self {
        if let Ok(value) = value.into().try_into_owned() {
            self.0.insert(key.to_owned(), value);
        }
        self
    }

    /// Adds a key, if there is a value for it.
    pub(crate) fn with_some<'v>(self, key: &str, value: Option<impl Into<Variant<'v>>>) -> Self {
        match value {
            None => self,
            Some(value) => self.with(key, value),
        }
    }
}

impl From<Reply> for Dictionary {
    fn from(reply: Reply) -> Self {
        reply.0
    }
}
