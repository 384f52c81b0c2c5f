//! PAM stacks: what libpam makes of the files in `/etc/pam.d`, and what can come of a login by them.
//!
//! All of it is pure: files come from a closure, and results of modules too. `tests/stacks.rs` tries it
//! beside the real libpam.

pub mod account;
pub mod control;
pub mod dispatch;
pub mod edit;
pub mod explore;
mod module_results;
pub mod parse;
pub mod password;
pub mod return_code;
pub mod setcred;
pub mod stack;

pub use control::{Action, Control};
pub use dispatch::run;
pub use edit::{Refusal, disabled, enabled};
pub use explore::{Ending, Finding, look};
pub use return_code::Code;
pub use stack::{Place, Rule, Stack, What};
