//! What is decided goes into the log, and how much of it others may cause.

pub(crate) use crate::audit::budget::Topic;
pub(crate) use crate::audit::budgeted::BudgetedLog;

mod budget;
mod budgeted;
pub(crate) mod change;
pub(crate) mod condition;
pub(crate) mod login;
