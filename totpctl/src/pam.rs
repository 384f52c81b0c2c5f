//! The stacks of this machine.

pub(crate) mod asking_services;
pub(crate) mod atomic_file;
pub(crate) mod change;
pub(crate) mod files;
mod remedy;
pub(crate) mod unenrolled;
