//! Parses, explores and edits PAM stacks: predicts what libpam does with the files in `/etc/pam.d`.
//!
//! The crate is pure: closures supply the files and the results of modules. `tests/stacks.rs`
//! compares it with the real libpam.

pub mod account;
mod ambiguous_lines;
mod answer_in_hand;
pub mod control;
pub mod dispatch;
pub mod edit;
mod ending_lines;
pub mod explore;
mod factor;
mod first_pass;
mod guard;
mod inert_modules;
mod jump;
mod locked_password;
mod misplaced_lines;
mod module_results;
pub mod never_accepting_modules;
pub mod one_answer;
pub mod parse;
pub mod password;
mod proving_modules;
pub mod return_code;
mod root_program;
pub mod setcred_programs;
mod silent_modules;
pub mod stack;

pub use ambiguous_lines::ambiguity_fix;
pub use answer_in_hand::{PasswordAsCode, passwords_as_codes};
pub use control::{Action, Control};
pub use dispatch::run;
pub use edit::{Refusal, add_guard, add_listener, disable, enable};
pub use ending_lines::{EndingLines, PERMIT, ending_lines};
pub use explore::{Analysis, Bypass, analyze};
pub use factor::{FACTOR_FILE, FACTOR_MODULE};
pub use first_pass::lacks_first_pass;
pub use guard::{GUARD, Guard, guard, is_guard};
pub use locked_password::admits_without_password;
pub use misplaced_lines::{Misplaced, keeping_passwords, misplaced};
pub use one_answer::{is_code_alone, needs_two_answers, takes_one_answer};
pub use return_code::ReturnCode;
pub use stack::{Place, Rule, RuleKind, Stack};
