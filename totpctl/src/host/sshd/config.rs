//! The configuration of sshd: its files, and what is in effect.

pub(crate) mod access;
pub(crate) mod blocks;
pub(crate) mod effective;
pub(crate) mod method;
pub(crate) mod trace;
