//! Who asks, and by which way.

pub mod origin;
