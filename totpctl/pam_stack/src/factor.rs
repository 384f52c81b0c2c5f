//! The module of the second factor.

/// Its name.
pub const FACTOR_MODULE: &str = "pam_totp";
/// Its file, as a line of a stack names it.
pub const FACTOR_FILE: &str = "pam_totp.so";
/// The option of the line of shadow mode in front of another module, which asks.
pub(crate) const SHADOW: &str = "shadow";
/// The option of the line behind, which restores the password.
pub(crate) const SHADOW_END: &str = "shadow_end";
