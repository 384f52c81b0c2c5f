//! totpd: it alone reads the seeds, it decides about codes, and it says yes only after the fact
//! that a code is used up is on disk.
//!
//! The core ([`attempt`], [`enrollment`], [`recovery`], [`source`], [`throttle`], [`otp`]) is pure. Around it are the bus
//! ([`dbus`], [`private`], [`dispatch`], [`login`], [`manager`]), the disk ([`store`]), NSS ([`people`]) and the clock.

pub mod access;
pub mod attempt;
pub mod backup;
pub mod caller;
pub mod clock;
pub mod code;
pub mod codec;
pub mod config;
pub mod context;
pub mod daemon;
pub mod dbus;
pub mod dispatch;
mod durable;
pub mod enrollment;
pub mod factor;
pub mod hardening;
pub mod hasher;
pub mod journal;
pub mod key;
mod locale;
pub mod login;
pub mod maintenance;
pub mod manager;
pub mod options;
pub mod otp;
pub mod people;
pub mod polkit;
pub mod private;
pub mod progress;
mod proof;
pub mod readiness;
pub mod record;
pub mod recovery;
mod reply;
pub mod resync;
pub mod seal;
pub mod seed;
pub mod source;
mod state;
pub mod store;
pub mod subject;
pub mod target;
pub mod throttle;
mod trouble;
pub mod uri;
pub mod user;
pub mod waiting;
pub mod watchers;
