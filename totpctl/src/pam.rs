//! The stacks of this machine.

pub(crate) mod asking_line;
pub(crate) mod asking_services;
pub(crate) mod atomic_file;
pub(crate) mod change;
pub(crate) mod change_set;
pub(crate) mod families;
pub(crate) mod files;
pub(crate) mod folders;
pub(crate) mod guard;
pub(crate) mod listener;
pub(crate) mod lossless_text;
pub(crate) mod module_options;
mod remedy;
mod single_file;
pub(crate) mod snapshot;
pub(crate) mod stale_plan;
pub(crate) mod unenrolled_users;
