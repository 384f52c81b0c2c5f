//! The callers, the ways of their calls, and the trust and the rights that they have.

pub(crate) mod call_slot;
pub(crate) mod caller;
pub mod login_context;
pub(crate) mod origin;
pub(crate) mod polkit;
