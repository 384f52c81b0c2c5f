//! totpd: it alone reads the seeds, it decides about codes, and it says yes only after the fact
//! that a code is used up is on disk.
//!
//! The core ([`attempt`], [`enrollment`], [`recovery`], [`source`], [`throttle`], [`otp`]) is pure. Around it are the bus
//! ([`dbus`], [`private`], [`dispatch`], [`login`], [`manager`]), the disk ([`store`]), NSS ([`people`]) and the clock.

pub mod access;
mod audit;
pub mod caller;
pub mod clock;
pub mod config;
pub mod context;
pub mod daemon;
pub mod dbus;
pub mod dispatch;
pub mod hardening;
pub mod hasher;
mod locale;
pub mod login;
pub mod maintenance;
pub mod manager;
pub mod options;
pub mod people;
pub mod polkit;
pub mod private;
mod proof;
pub mod readiness;
mod reply;
mod state;
mod trouble;
pub mod watchers;
