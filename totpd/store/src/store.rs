//! The handle on a store. It reads a record or changes it. A change is on disk before anybody
//! learns of it, but for a login that leans ([`Store::judge`]). Nothing waits for a store longer
//! than its timeout.

use std::sync::Arc;
use std::time::Duration;

use totpd_core::record::{Outline, Record};
use totpd_core::record_key::RecordKey;
use totpd_core::void_windows::VoidWindows;

use crate::backend::{Backend, Change, Changed, Listed, Pending, StoreError};
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

    /// Returns the windows of time whose codes are void.
    #[must_use]
    pub fn void_windows(&self) -> Arc<VoidWindows> {
        self.backend.void_windows()
    }

    /// Notes a prompt at `now` (seconds since 1970), whose answer may lean. Nobody waits for this.
    pub fn note_prompt(&self, now: u64) {
        self.backend.note_prompt(now);
    }

    /// Changes the record of `key` in one transaction. `change` is a pure function: it gets the
    /// present record and the void windows, and returns the next record (`None`: no record). It may
    /// run more than once. When this returns `Ok`, the change is on disk.
    ///
    /// # Errors
    /// [`StoreError`]. Then nothing is changed, with one exception. A change that was being written
    /// when the time ran out may be on disk. A code that it used up stays used.
    pub async fn update<T: Send + 'static>(
        &self,
        key: RecordKey,
        mut change: impl FnMut(Option<Record>, &VoidWindows) -> (T, Option<Record>) + Send + 'static,
    ) -> Result<T, StoreError> {
        self.judge(key, move |record, voids| {
            let (value, record) = change(record, voids);
            (value, Changed { record, login: None })
        })
        .await
    }

    /// Judges a login in one transaction, as [`Store::update`] makes a change. When this returns
    /// `Ok`, the change is on disk, or its login leans: after a crash its code is void.
    ///
    /// # Errors
    /// [`StoreError`], as for [`Store::update`].
    pub async fn judge<T: Send + 'static>(
        &self,
        key: RecordKey,
        mut change: impl FnMut(Option<Record>, &VoidWindows) -> (T, Changed) + Send + 'static,
    ) -> Result<T, StoreError> {
        let result = LastResult::new();
        let change: Change = Box::new({
            let result = result.clone();
            move |record, voids| {
                let (value, changed) = change(record, voids);
                result.set(value);
                changed
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

        fn void_windows(&self) -> Arc<VoidWindows> {
            Arc::default()
        }

        fn note_prompt(&self, _: u64) {}

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
            assert!(is_late(store.update(user("alice"), |_, _| ((), None)).await.unwrap_err()));
            assert!(is_late(store.discard(user("alice")).await.unwrap_err()));
            assert!(is_late(store.list(String::new(), 1).await.unwrap_err()));
        });
    }
}
