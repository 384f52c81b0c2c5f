//! Keeps records: sealed, in SQLite, and in backup files.
//!
//! [`Backend`] is the trait that every store implements. [`Store`] is the handle that the rest of
//! the daemon uses. Nothing above it knows how or where records are kept.
//!
//! Modules use each other in one direction only:
//!
//! ```text
//! sqlite        the store of one host
//!   │  uses backup for its signing key and its history of backups
//! backup        backup files; knows no store, and of the boundary only its error
//!   │
//! record_format, sealer, master_key      bytes, what seals them, and the key
//! backend, store                         the boundary
//! blocking, fsync, mutex, …              tools
//! ```

mod backend;
pub mod backup;
pub mod blocking;
#[cfg(any(test, feature = "fixtures"))]
pub mod conformance;
mod fsync;
mod last_result;
mod locked_memory;
pub mod master_key;
#[cfg(any(test, feature = "fixtures"))]
pub mod memory;
pub mod mutex;
mod owner;
pub mod progress;
pub mod record_format;
pub mod sealer;
pub mod sqlite;
mod store;
pub mod unavailable;

pub use backend::{Backend, Change, Changed, Listed, Pending, StoreError};
pub use owner::Owner;
pub use store::{REQUEST_TIMEOUT, Store};
