//! The machine that the daemon runs on.

pub mod clock;
pub mod hardening;
pub(crate) mod locale;
pub mod nss;
pub mod readiness;
