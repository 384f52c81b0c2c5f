//! The formats in which other programs keep and hand over seeds. Each format has its own file: in
//! `import` if it is read, in `export` if it is written. `import` has the secret of one token as a
//! person gives it too. `reading` has what the readers of whole files give.
//!
//! The crate is pure: bytes and the time of now go in, factors and reasons come out.

mod civil_time;
pub mod export;
pub mod import;
#[cfg(feature = "readers")]
pub mod readers;
#[cfg(feature = "entries")]
pub mod reading;
