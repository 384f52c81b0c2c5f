//! Everything that decides about codes, factors, enrollment and waits.
//!
//! A decision is a function: a record, a request, a time and rules go in; an outcome and a new record come out. The
//! crate has no standard library, so it can reach no clock, no disk, no bus, no thread and no randomness. Time and
//! random bytes are arguments.
#![no_std]

extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod account;
pub mod authorization;
pub mod code;
pub mod enrollment;
pub mod factor;
#[cfg(any(test, feature = "fixtures"))]
pub mod fixtures;
pub mod hmac;
pub mod management;
pub mod otp;
pub mod record;
pub mod record_key;
pub mod recovery_codes;
pub mod resync;
pub mod seed;
pub mod source;
pub mod throttle;
pub mod user_name;
pub mod verification;
