//! totpd: the daemon that alone reads the seeds and decides about codes. It approves a code only
//! after it is on disk that the code is used up.
//!
//! This is the shell: the ways in ([`dbus`], [`socket`], through [`dispatch`]), the use cases
//! ([`login`], [`manage`]), what both share ([`daemon`]), and what they rest on ([`access`],
//! [`audit`], [`config`], [`host`]). What decides is `totpd-core`, what keeps records is
//! `totpd-store`. [`server`] puts the parts together; the other public modules are for fuzzing.

pub mod access;
mod audit;
pub mod config;
mod daemon;
mod dbus;
mod dispatch;
mod host;
mod login;
mod manage;
pub mod server;
mod socket;
