//! The handle on a store. It reads a record or changes it. A change is on disk before anybody
//! learns of it. Nothing waits for a store longer than its timeout.

use std::sync::Arc;
use std::time::Duration;

use totpd_core::record::{Outline, Record};
use totpd_core::record_key::RecordKey;

use crate::backend::{Backend, Change, Listed, Pending, StoreError};
use crate::last_result::LastResult;

/// A handle on a store. It can be cloned.
#[derive(Clone)]
pub struct Store {
    backend: Arc<dyn Backend>,
    timeout: Duration,
}

impl Store {
    /// Returns a handle on this implementation. A request that takes longer than `timeout` fails.
    #[must_use]
    pub fn new(backend: Arc<dyn Backend>, timeout: Duration) -> Self {
        Self { backend, timeout }
    }

    /// Reads the record of `key`.
    ///
    /// # Errors
    /// [`StoreError`], if it cannot be read or trusted, or not in time.
    pub async fn read(&self, key: RecordKey) -> Result<Option<Record>, StoreError> {
        self.in_time(self.backend.read(key)).await
    }

    /// Reads the record of `key` without its seeds. A key without a record takes the time of one
    /// that has a record.
    ///
    /// # Errors
    /// [`StoreError`], as for [`Store::read`].
    pub async fn read_outline(&self, key: RecordKey) -> Result<Option<Outline>, StoreError> {
        self.in_time(self.backend.read_outline(key)).await
    }

    /// Changes the record of `key` in one transaction. `change` is a pure function: it gets the
    /// present record and returns the next one (`None`: no record). It may run more than once. When
    /// this returns `Ok`, the change is on disk.
    ///
    /// # Errors
    /// [`StoreError`]. Then nothing is changed, with one exception. A change that was being written
    /// when the time ran out may be on disk. A code that it used up stays used.
    pub async fn update<T: Send + 'static>(
        &self,
        key: RecordKey,
        mut change: impl FnMut(Option<Record>) -> (T, Option<Record>) + Send + 'static,
    ) -> Result<T, StoreError> {
        let result = LastResult::new();
        let change: Change = Box::new({
            let result = result.clone();
            move |record| {
                let (value, record) = change(record);
                result.set(value);
                record
            }
        });
        self.in_time(self.backend.update(key, change)).await?;
        result.take().ok_or_else(|| StoreError::Unavailable("the change did not run".into()))
    }

    /// Removes the record of `key` without reading it: it may be unreadable.
    ///
    /// # Errors
    /// [`StoreError`], as for [`Store::update`].
    pub async fn discard(&self, key: RecordKey) -> Result<(), StoreError> {
        self.in_time(self.backend.discard(key)).await
    }

    /// Lists at most `limit` users whose names come after `after`, in the order of their bytes.
    ///
    /// # Errors
    /// [`StoreError`], if the store cannot be read, or not in time.
    pub async fn list(&self, after: String, limit: u32) -> Result<Vec<Listed>, StoreError> {
        self.in_time(self.backend.list(after, limit)).await
    }

    async fn in_time<T>(&self, pending: Pending<T>) -> Result<T, StoreError> {
        tokio::time::timeout(self.timeout, pending).await.unwrap_or_else(|_| {
            let seconds = self.timeout.as_secs_f32();
            Err(StoreError::Unavailable(format!("no answer within {seconds} s")))
        })
    }
}

/// The timeout of the daemon's store. It is shorter than the timeout of the module, so the person
/// gets a reason.
pub const REQUEST_TIMEOUT: Duration = Duration::from_secs(4);

#[cfg(test)]
mod tests {
    use totpd_core::fixtures::user;

    use super::*;
    use crate::conformance::run;

    /// A store whose disk never answers.
    struct StuckBackend;

    impl Backend for StuckBackend {
        fn read(&self, _: RecordKey) -> Pending<Option<Record>> {
            Box::pin(std::future::pending())
        }

        fn read_outline(&self, _: RecordKey) -> Pending<Option<Outline>> {
            Box::pin(std::future::pending())
        }

        fn update(&self, _: RecordKey, _: Change) -> Pending<()> {
            Box::pin(std::future::pending())
        }

        fn discard(&self, _: RecordKey) -> Pending<()> {
            Box::pin(std::future::pending())
        }

        fn list(&self, _: String, _: u32) -> Pending<Vec<Listed>> {
            Box::pin(std::future::pending())
        }
    }

    #[test]
    fn a_request_that_takes_too_long_fails() {
        let store = Store::new(Arc::new(StuckBackend), Duration::from_millis(10));
        let is_late =
            |error| matches!(error, StoreError::Unavailable(reason) if reason.contains("0.01 s"));
        run(async {
            assert!(is_late(store.read(user("alice")).await.unwrap_err()));
            assert!(is_late(store.read_outline(user("alice")).await.unwrap_err()));
            assert!(is_late(store.update(user("alice"), |_| ((), None)).await.unwrap_err()));
            assert!(is_late(store.discard(user("alice")).await.unwrap_err()));
            assert!(is_late(store.list(String::new(), 1).await.unwrap_err()));
        });
    }
}
