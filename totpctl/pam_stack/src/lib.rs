//! Parses, explores and edits PAM stacks: predicts what libpam does with the files in `/etc/pam.d`.
//!
//! The crate is pure: closures supply the files and the results of modules. `tests/stacks.rs`
//! compares it with the real libpam.

pub mod account;
mod ambiguous;
mod answer_in_hand;
pub mod control;
pub mod dispatch;
pub mod edit;
mod ending;
pub mod explore;
mod factor;
mod first_pass;
mod inert;
mod jump;
mod locked_password;
mod misplaced;
mod module_results;
pub mod never_accepts;
pub mod one_answer;
pub mod parse;
pub mod password;
mod proof;
pub mod return_code;
mod root_program;
pub mod setcred;
mod silence;
pub mod stack;

pub use ambiguous::ambiguity_fix;
pub use answer_in_hand::{PasswordAsCode, passwords_as_codes};
pub use control::{Action, Control};
pub use dispatch::run;
pub use edit::{Refusal, disable, enable};
pub use ending::{EndingLines, PERMIT, ending_lines};
pub use explore::{Analysis, Bypass, analyze};
pub use factor::{FACTOR_FILE, FACTOR_MODULE};
pub use first_pass::lacks_first_pass;
pub use locked_password::admits_without_password;
pub use misplaced::{Misplaced, misplaced};
pub use one_answer::{is_code_alone, needs_two_answers, takes_one_answer};
pub use return_code::ReturnCode;
pub use stack::{Place, Rule, RuleKind, Stack};
