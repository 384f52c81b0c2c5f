//! Who asks, by which way, and what is believed and allowed.

pub(crate) mod call_slot;
pub(crate) mod caller;
pub mod login_context;
pub(crate) mod origin;
pub(crate) mod polkit;
