//! The stacks of this machine: where they are, and how they are changed.

pub(crate) mod atomic_file;
pub(crate) mod change;
pub(crate) mod files;
mod remedy;
