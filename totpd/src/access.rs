//! Who asks, and by which way.

pub mod caller;
pub mod login_context;
pub mod origin;
pub(crate) mod place;
pub mod polkit;
