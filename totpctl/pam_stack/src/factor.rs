//! The module of the second factor.

/// Its name.
pub const FACTOR_MODULE: &str = "pam_totp";
/// Its file, as a line of a stack names it.
pub const FACTOR_FILE: &str = "pam_totp.so";
