//! Formats that are written, for other programs to read.
//!
//! What was used here must not open there: used steps and counters are written with the seed, and a
//! [`Note`] says so where a format cannot hold them.

pub use crate::export::exported::{Exported, Note, Unwritable};
pub use crate::export::google_authenticator::google_authenticator;
pub use crate::export::oath::oath;
pub use crate::export::otpauth_uri::{check_label, otpauth_uri};
pub use crate::export::parts::{Parts, unused_from};
pub use crate::export::pskc::pskc;
pub use totpd_core::factor::Factor;

mod exported;
mod google_authenticator;
mod oath;
mod otpauth_uri;
mod parts;
mod pskc;
