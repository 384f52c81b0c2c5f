//! Findings that an administrator accepted: what `/etc/totpd/accepted.toml` says.

pub(super) mod date;
pub(super) mod document;
pub(super) mod file;
pub(super) mod judgment;
pub(super) mod refusal;
pub(super) mod subject;
