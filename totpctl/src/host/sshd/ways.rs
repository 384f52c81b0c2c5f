//! The ways in by ssh, and what each of them asks.

pub(crate) mod effect;
#[cfg(test)]
mod model;
pub(crate) mod password_after_key;
pub(crate) mod stack;
pub(crate) mod way;
