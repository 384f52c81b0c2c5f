//! totpd: it alone reads the seeds, it decides about codes, and it says yes only after the fact
//! that a code is used up is on disk.
//!
//! The core ([`attempt`], [`enrollment`], [`recovery`], [`source`], [`throttle`], [`otp`]) is pure. Around it are the bus
//! ([`dbus`], [`private`], [`dispatch`], [`login`], [`manager`]), the disk ([`store`]), NSS ([`people`]) and the clock.

pub mod access;
pub mod backup;
pub mod caller;
pub mod clock;
pub mod codec;
pub mod config;
pub mod context;
pub mod daemon;
pub mod dbus;
pub mod dispatch;
mod durable;
pub mod hardening;
pub mod hasher;
pub mod journal;
pub mod key;
mod locale;
pub mod login;
pub mod maintenance;
pub mod manager;
pub mod options;
pub mod people;
pub mod polkit;
pub mod private;
pub mod progress;
mod proof;
pub mod readiness;
mod reply;
pub mod seal;
mod state;
pub mod store;
mod trouble;
pub mod waiting;
pub mod watchers;
