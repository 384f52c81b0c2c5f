//! The store of a daemon that started while the disk fails. It refuses every request. So the daemon
//! does not end at each login.

use std::sync::Arc;

use totpd_core::record::{Outline, Record};
use totpd_core::record_key::RecordKey;
use totpd_core::void_windows::VoidWindows;

use crate::backend::{Backend, Change, Listed, Pending, StoreError};

/// Refuses every request for this reason.
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

    fn read_outline(&self, _: RecordKey) -> Pending<Option<Outline>> {
        self.refuse()
    }

    fn update(&self, _: RecordKey, _: Change) -> Pending<()> {
        self.refuse()
    }

    fn void_windows(&self) -> Arc<VoidWindows> {
        Arc::default()
    }

    fn note_prompt(&self, _: u64) {}

    fn discard(&self, _: RecordKey) -> Pending<()> {
        self.refuse()
    }

    fn list(&self, _: String, _: u32) -> Pending<Vec<Listed>> {
        self.refuse()
    }
}
