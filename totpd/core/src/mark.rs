//! The mark: what a login may lean on in place of a flush of its own.
//!
//! A mark is a row of the store that says: codes that are judged between two times may be missing
//! from the records. It is durable before anybody leans on it. After a crash its time becomes a
//! [void window](crate::void_windows), unless the [`Witness`] shows that nothing is missing. The
//! whole argument is in docs/decisions/0032-what-a-login-may-lean-on.md.

pub use crate::mark::ending::{Ending, ending_at_start};
pub use crate::mark::leaning::{Leaning, Leant};
pub use crate::mark::login::LeaningLogin;
pub use crate::mark::row::{Mark, UsedCode};
pub use crate::mark::run_id::RunId;
pub use crate::mark::witness::{Acceptance, WITNESS_BYTES, Witness};

mod ending;
mod leaning;
mod login;
mod row;
mod run_id;
#[cfg(test)]
mod tests;
mod witness;
