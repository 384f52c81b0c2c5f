//! totpd: the daemon that alone reads the seeds and decides about codes. It approves a code only
//! after the disk has its use, or a mark that makes it void after a crash.
//!
//! This crate is the shell. `dbus` and `socket` are the ways in, through `dispatch`.
//! `login` and `manage` are the use cases. `factors` makes a factor for both of them, and `daemon`
//! is their shared part. `access`, `audit`, `config` and `host` are the base of all of them.
//! `totpd-core` decides, and `totpd-store` keeps records. `server` puts the parts together. The
//! other public modules are for fuzzing.

pub mod access;
mod audit;
pub mod config;
mod daemon;
mod dbus;
mod dispatch;
mod factors;
mod host;
mod login;
mod manage;
pub mod server;
mod socket;
