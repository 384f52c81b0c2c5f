//! What a reader gives: entries, one at a time, each with a factor or with the reason why it has
//! none.
//!
//! ```text
//! read(format, bytes, passphrase, rules, sink) -> entries into the sink, and a summary
//! ```
//!
//! [`mod@line`] has the form in which entries cross a pipe.

pub use crate::reading::change::Change;
pub use crate::reading::entry::{Entry, Outcome, Place};
pub use crate::reading::format::Format;
pub use crate::reading::imported_factor::{ImportedFactor, Impossible, ScratchCode};
pub use crate::reading::part::{MissingPart, Part, missing_parts};
pub use crate::reading::reason::Reason;
pub use crate::reading::refusal::Refusal;
pub use crate::reading::rules::{Passphrase, Rules, Summary};

mod change;
mod entry;
mod fields;
mod format;
mod imported_factor;
pub mod line;
mod part;
mod reason;
mod refusal;
mod rules;
