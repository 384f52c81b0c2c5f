//! The formats in which other programs keep and hand over seeds. Each format has its own file.

mod base32;
mod hexadecimal;
mod key_uri;
pub mod otpauth;
pub mod token;
pub mod unreadable_secret;
