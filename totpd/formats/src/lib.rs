//! The formats in which other programs keep and hand over seeds. Each format has its own file.

pub mod otpauth;
