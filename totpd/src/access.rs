//! Who asks, and by which way.

pub mod origin;
pub(crate) mod place;
