//! Formats that are written, for other programs to read.

pub use crate::export::otpauth_uri::{check_label, otpauth_uri};

mod otpauth_uri;
