//! totpd: it alone reads the seeds, it decides about codes, and it says yes only after the fact
//! that a code is used up is on disk.
//!
//! The core ([`attempt`], [`enrollment`], [`recovery`], [`source`], [`throttle`], [`otp`]) is pure. Around it are the bus
//! ([`dbus`], [`private`], [`dispatch`], [`login`], [`manager`]), the disk ([`store`]), NSS ([`people`]) and the clock.

pub mod access;
mod audit;
pub mod config;
pub mod daemon;
pub mod dbus;
pub mod dispatch;
pub mod host;
pub mod login;
pub mod manage;
pub mod server;
pub mod socket;
