//! What is wrong with this host, or may be. `doctor` prints it, and `enable` and `try` refuse it.

pub(crate) mod doors;
pub(crate) mod finding;
pub(crate) mod host;
pub(crate) mod programs;
pub(crate) mod report;
pub(crate) mod rules;
pub(crate) mod selinux;
pub(crate) mod services;
pub(crate) mod sshd;
mod stack;
pub(crate) mod sudo;
pub(crate) mod users;
