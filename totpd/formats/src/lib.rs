//! The formats in which other programs keep and hand over seeds, a file each.

pub mod otpauth;
