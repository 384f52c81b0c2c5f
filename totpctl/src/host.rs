//! This host: what is read of it, and how it is modeled. Nothing here makes a finding or
//! prints, and only `sshd/reload.rs` acts.

pub(crate) mod accounts;
pub(crate) mod confinement;
pub(crate) mod container;
pub(crate) mod copy_on_write;
pub(crate) mod door;
pub(crate) mod local_time;
pub(crate) mod name_services;
pub(crate) mod people;
pub(crate) mod permissions;
pub(crate) mod process;
pub(crate) mod rescue_mode;
pub(crate) mod selinux;
pub(crate) mod shadow;
pub(crate) mod sshd;
pub(crate) mod stack_code;
pub(crate) mod starters;
pub(crate) mod sudo;
