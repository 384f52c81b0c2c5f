//! PAM stacks: what libpam makes of the files in `/etc/pam.d`, and what can come of a login by them.
//!
//! All of it is pure: files come from a closure, and results of modules too. `tests/stacks.rs` tries it
//! beside the real libpam.

pub mod account;
pub mod code;
pub mod control;
pub mod edit;
pub mod hosts;
pub mod line;
mod module_results;
pub mod password;
pub mod paths;
pub mod run;
pub mod stack;

pub use code::Code;
pub use control::{Action, Control};
pub use edit::{Refusal, disabled, enabled};
pub use paths::{Ending, Finding, look};
pub use run::run;
pub use stack::{Place, Rule, Stack, What};
