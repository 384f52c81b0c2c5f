//! The store of a daemon that came up while the disk is in trouble: it answers everybody that there
//! is none, instead of ending at each login.

use totpd_core::record::Record;
use totpd_core::record_key::RecordKey;

use crate::{Backend, Change, Listed, Pending, StoreError};

/// A store that could not be opened, and why.
pub struct UnavailableBackend(pub String);

impl UnavailableBackend {
    fn refuse<T: Send + 'static>(&self) -> Pending<T> {
        Box::pin(std::future::ready(Err(StoreError::Unavailable(self.0.clone()))))
    }
}

impl Backend for UnavailableBackend {
    fn read(&self, _: RecordKey) -> Pending<Option<Record>> {
        self.refuse()
    }

    fn update(&self, _: RecordKey, _: Change) -> Pending<()> {
        self.refuse()
    }

    fn discard(&self, _: RecordKey) -> Pending<()> {
        self.refuse()
    }

    fn list(&self, _: String, _: u32) -> Pending<Vec<Listed>> {
        self.refuse()
    }
}
