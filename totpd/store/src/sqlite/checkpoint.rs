//! Checkpoints: the log is copied into the file, so that it can restart from its beginning. Others
//! commit during one, and no login waits for its flushes.
//!
//! ```text
//! decision   whether one is due, and what an error of it means. Pure
//! runner     the connection that runs one, and the lock on it
//! thread     the thread in which it runs
//! ```
//!
//! [`Database`](crate::sqlite::database::Database) asks the decision and obeys it. The writer looks
//! after its transactions, and requests one of the thread.

pub(super) mod decision;
pub(super) mod runner;
pub(super) mod thread;
