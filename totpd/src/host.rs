//! The machine that the daemon runs on.

pub(crate) mod boot;
pub(crate) mod clock;
pub(crate) mod hardening;
pub(crate) mod locale;
pub(crate) mod nss;
pub(crate) mod readiness;
pub(crate) mod run_directory;
pub(crate) mod signals;
pub(crate) mod user_files;
