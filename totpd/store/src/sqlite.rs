//! The store of one host: a SQLite file in a directory that only root may enter.
//!
//! One thread writes, and another flushes. Changes that are committed during a flush share the next
//! one. A third thread reads, so a slow flush delays no prompt. A thread that may block does each
//! itself if nothing is in its way ([`crate::blocking`]). A fourth thread checkpoints the log.
//!
//! A file uses those below it. Nothing points up:
//!
//! ```text
//! open                                  opens the store, or creates it
//! rekey restore used_codes export scan signers   the store as a whole
//! records                               single records
//! local                                 the handle
//! reader writer ─ transaction ─ flusher the threads that read, write and flush
//! checkpoint/thread                     the thread that checkpoints
//! database ─ connection                 the file
//! checkpoint/runner ─ checkpoint/decision, log   what checkpoints, and when
//! reserve log_sizes                     the length of the log
//! marker ─ witness_file, mark_rows      what a login may lean on
//! migration ─ schema                    its format
//! active_keys key_sources metadata      the keys
//! rows ─ row                            SQL
//! layout failure queue open_error       names, errors
//! ```

mod active_keys;
mod checkpoint;
mod connection;
mod database;
mod export;
mod failure;
mod flusher;
mod key_sources;
mod layout;
mod local;
mod log;
mod log_sizes;
mod mark_rows;
mod marker;
mod metadata;
mod migration;
mod open;
mod open_error;
mod queue;
mod reader;
mod records;
mod rekey;
mod reserve;
mod restore;
mod row;
mod rows;
mod scan;
mod schema;
mod signers;
#[cfg(test)]
mod tests;
mod transaction;
mod used_codes;
mod witness_file;
mod writer;

pub use layout::DIRECTORY;
pub use local::Local;
pub use marker::MarkSettings;
pub use open::OpenStore;
pub use open_error::OpenError;
pub use rekey::RekeyReport;
pub use restore::{PendingRestore, RestoreReport};
pub use scan::ScanReport;
pub use signers::KnownBackups;
