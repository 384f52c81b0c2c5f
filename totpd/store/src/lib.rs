//! The store: read a record, or change it so that the change is on disk before anybody hears of
//! it. Nothing above this file knows how, or where.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use totpd_core::record::Record;
use totpd_core::record_key::RecordKey;
use totpd_core::user_name::UserName;

pub mod backup;
pub mod blocking;
#[cfg(any(test, feature = "fixtures"))]
pub mod conformance;
mod fsync;
mod locked_memory;
pub mod master_key;
#[cfg(any(test, feature = "fixtures"))]
pub mod memory;
pub mod progress;
pub mod record_format;
pub mod sealer;
pub mod sqlite;
pub mod unavailable;

/// Why the store did not do what it was asked. For the journal; a caller learns less.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum StoreError {
    /// A record is not what was written for its subject.
    #[error("the record of {0} cannot be unsealed: it was damaged, or changed by somebody else")]
    Corrupt(String),
    /// It could be done, and is not, for a reason that the caller can do something about: there is
    /// no room for more factors, or another task is under way.
    #[error("{0}")]
    Refused(String),
    /// The disk, or what lies between.
    #[error("the store cannot be read or written: {0}")]
    Unavailable(String),
}

/// A user in a listing.
#[derive(Debug)]
pub struct Listed {
    /// The login name.
    pub name: UserName,
    /// The record, or why it cannot be trusted.
    pub record: Result<Record, StoreError>,
}

/// What a store answers, later.
pub type Pending<T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send>>;

/// A pure function from the record that is there to the one that shall be (nothing: none). A store
/// may run it more than once, and keeps what the last run said.
pub type Change = Box<dyn FnMut(Option<Record>) -> Option<Record> + Send>;

/// What an implementation of the store has to do; `conformance.rs` tries it.
pub trait Backend: Send + Sync {
    /// The record of `subject`.
    fn read(&self, subject: RecordKey) -> Pending<Option<Record>>;

    /// Changes one record in one transaction, which is durable when this answers.
    fn update(&self, subject: RecordKey, change: Change) -> Pending<()>;

    /// Removes the record of `subject` unread: for one that cannot be read any more.
    fn discard(&self, subject: RecordKey) -> Pending<()>;

    /// At most `limit` users whose names come after `after`, in the order of their bytes; fewer
    /// only at the end.
    fn list(&self, after: String, limit: u32) -> Pending<Vec<Listed>>;
}

/// A handle on a store. It can be cloned.
#[derive(Clone)]
pub struct Store {
    backend: Arc<dyn Backend>,
    patience: Duration,
}

impl Store {
    /// A handle on this implementation. What takes longer than `patience` is given up.
    #[must_use]
    pub fn new(backend: Arc<dyn Backend>, patience: Duration) -> Self {
        Self { backend, patience }
    }

    /// The record of `subject`.
    ///
    /// # Errors
    /// [`StoreError`], if it cannot be read or trusted, or not in time.
    pub async fn read(&self, subject: RecordKey) -> Result<Option<Record>, StoreError> {
        self.in_time(self.backend.read(subject)).await
    }

    /// Changes the record of `subject` by a pure function, which gets what is there and answers
    /// what shall be there instead (nothing: no record), in one transaction. It may run more than
    /// once. When this returns `Ok`, the change is on disk.
    ///
    /// # Errors
    /// [`StoreError`]. Then nothing is changed, except that a change which was on its way when the
    /// time was over may be on disk nevertheless: a code that it used up stays used.
    pub async fn update<T: Send + 'static>(
        &self,
        subject: RecordKey,
        mut change: impl FnMut(Option<Record>) -> (T, Option<Record>) + Send + 'static,
    ) -> Result<T, StoreError> {
        let told = Arc::new(Mutex::new(None));
        let tell = Arc::clone(&told);
        let change: Change = Box::new(move |record| {
            let (result, record) = change(record);
            *tell.lock().unwrap_or_else(PoisonError::into_inner) = Some(result);
            record
        });
        self.in_time(self.backend.update(subject, change)).await?;
        let told = told.lock().unwrap_or_else(PoisonError::into_inner).take();
        told.ok_or_else(|| StoreError::Unavailable("it did not run the change".into()))
    }

    /// Removes the record of `subject` unread: for one that cannot be read any more.
    ///
    /// # Errors
    /// [`StoreError`], as [`Store::update`] has it.
    pub async fn discard(&self, subject: RecordKey) -> Result<(), StoreError> {
        self.in_time(self.backend.discard(subject)).await
    }

    /// At most `limit` users whose names come after `after`, in the order of their bytes.
    ///
    /// # Errors
    /// [`StoreError`], if the store cannot be read, or not in time.
    pub async fn list(&self, after: String, limit: u32) -> Result<Vec<Listed>, StoreError> {
        self.in_time(self.backend.list(after, limit)).await
    }

    async fn in_time<T>(&self, pending: Pending<T>) -> Result<T, StoreError> {
        tokio::time::timeout(self.patience, pending).await.unwrap_or_else(|_| {
            let seconds = self.patience.as_secs_f32();
            Err(StoreError::Unavailable(format!("no answer within {seconds} s")))
        })
    }
}

/// Shorter than the module's own deadline, so that the person gets a reason.
pub const REQUEST_TIMEOUT: Duration = Duration::from_secs(4);

#[cfg(test)]
mod tests {
    use conformance::run;
    use totpd_core::fixtures::user;

    use super::*;

    /// A store whose disk never answers.
    struct Stuck;

    impl Backend for Stuck {
        fn read(&self, _: RecordKey) -> Pending<Option<Record>> {
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
    fn what_takes_too_long_is_given_up() {
        let store = Store::new(Arc::new(Stuck), Duration::from_millis(10));
        let late = |error| matches!(error, StoreError::Unavailable(why) if why.contains("0.01 s"));
        run(async {
            assert!(late(store.read(user("alice")).await.unwrap_err()));
            assert!(late(store.update(user("alice"), |_| ((), None)).await.unwrap_err()));
            assert!(late(store.discard(user("alice")).await.unwrap_err()));
            assert!(late(store.list(String::new(), 1).await.unwrap_err()));
        });
    }
}
