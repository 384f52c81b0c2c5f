//! The boundary: the duties of every store, for any medium.

use std::pin::Pin;
use std::sync::Arc;

use totpd_core::mark::LeaningLogin;
use totpd_core::record::{Outline, Record};
use totpd_core::record_key::RecordKey;
use totpd_core::user_name::UserName;
use totpd_core::void_windows::VoidWindows;

/// The reason why the store did not do what was requested. It is for the log; a caller learns less.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum StoreError {
    /// A record is not what was written under its key.
    #[error(
        "cannot unseal the record of {0}: it was damaged, or changed by another program; restore a backup, or run \
         totpctl remove {0} and enroll again"
    )]
    Corrupt(String),
    /// A refusal by the store, for a reason that the caller can remove. There is no room for more
    /// factors, or another task is running.
    #[error("{0}")]
    Refused(String),
    /// The disk, or what lies between, fails.
    #[error("cannot read or write the store: {0}")]
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

/// The later answer of a store.
pub type Pending<T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send>>;

/// A pure function from the present record, and the void windows, to what comes of it. A store may
/// run it more than once, and keeps the result of the last run.
pub type Change = Box<dyn FnMut(Option<Record>, &VoidWindows) -> Changed + Send>;

/// What comes of a change.
#[derive(Debug, Default)]
pub struct Changed {
    /// The next record; `None`: no record.
    pub record: Option<Record>,
    /// The login that the change approved. The store may answer it before it is durable, if it
    /// keeps its code from being good again.
    pub login: Option<LeaningLogin>,
}

/// The duties of an implementation of the store. `conformance.rs` tests them.
pub trait Backend: Send + Sync {
    /// Reads the record of `key`.
    fn read(&self, key: RecordKey) -> Pending<Option<Record>>;

    /// Reads the record of `key` without its seeds. In the store on disk, a key without a record
    /// takes the time of one that has a record.
    fn read_outline(&self, key: RecordKey) -> Pending<Option<Outline>>;

    /// Changes one record in one transaction. The change is durable when this answers, unless it
    /// is a login that leans ([`Changed::login`]).
    fn update(&self, key: RecordKey, change: Change) -> Pending<()>;

    /// Returns the windows of time whose codes are void.
    fn void_windows(&self) -> Arc<VoidWindows>;

    /// Notes a prompt at `now` (seconds since 1970), whose answer may lean. Nobody waits for this.
    fn note_prompt(&self, now: u64);

    /// Removes the record of `key` without reading it: it may be unreadable.
    fn discard(&self, key: RecordKey) -> Pending<()>;

    /// Lists at most `limit` users whose names come after `after`, in the order of their bytes. It
    /// lists fewer only at the end.
    fn list(&self, after: String, limit: u32) -> Pending<Vec<Listed>>;
}
