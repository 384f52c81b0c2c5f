//! The rules of the administrator: who must give a code where, and since when.
//!
//! [`Policy`] is the list of rules. [`decide`] walks it: the first rule that fits decides, and a
//! login that no rule fits needs a code. The decision record 0034 has the argument why missing
//! knowledge never makes a login laxer.

pub use crate::policy::comparison::{Change, Judge, World, compare};
pub use crate::policy::decision::{Decision, decide};
pub use crate::policy::fit::Fit;
pub use crate::policy::groups::{GroupName, Groups};
pub use crate::policy::judgment::{Condition, Judgment};
pub use crate::policy::limits::{BURST, Burst, Limits, REMEMBER, Remember, Subject};
pub use crate::policy::network::{InvalidNetwork, Network};
pub use crate::policy::one_of::OneOf;
pub use crate::policy::pattern::{InvalidPattern, ServicePattern, UserPattern};
pub use crate::policy::place::{Place, PlacePattern};
pub use crate::policy::question::{Person, Question};
pub use crate::policy::reach::{Everybody, Reach, reaches};
pub use crate::policy::requirement::Requirement;
pub use crate::policy::rule::{Deadline, Rule, RuleName, Then};
pub use crate::policy::rule_list::Policy;

mod comparison;
mod decision;
mod fit;
mod groups;
mod judgment;
mod limits;
mod network;
mod one_of;
mod parts;
mod pattern;
mod place;
mod question;
mod reach;
pub mod representatives;
mod requirement;
mod rule;
mod rule_list;

#[cfg(test)]
mod tests;
