//! Every decision about codes, factors, enrollment and waits.
//!
//! A decision is a function. A record, a request, a time and rules go in. An outcome and a new
//! record come out. The crate is `no_std`, so it can reach no clock, disk, bus, thread or random
//! generator. Time and random bytes are arguments. [`verification::verify`] judges a login, and
//! [`resync::resync`] finds a token again. [`management`] judges the code that a change needs, and
//! then changes the record. [`restoration`] closes what a backup would open again. [`mark`] decides
//! which login is answered before the disk has its record. [`trust`] decides which login needs no
//! code, because there was one a moment ago.
//! [`enrollment`] adds a factor:
//!
//! ```
//! use totpd_core::code::Code;
//! use totpd_core::enrollment::{
//!     Confirmation, Enrolled, EnrollmentRules, NewFactor, Request, confirm, enroll,
//! };
//! use totpd_core::factor::{FactorId, Kind, Maker, Restrictions};
//! use totpd_core::otp::Algorithm;
//! use totpd_core::record::Record;
//! use totpd_core::seed::Seed;
//! use totpd_core::throttle::ThrottleRules;
//! use totpd_core::moment::Moment;
//! use totpd_core::void_windows::VoidWindows;
//!
//! let (now, lifetime) = (30, 600);
//! let new = NewFactor {
//!     id: FactorId::from_random([1; 5]),
//!     name: "phone".into(),
//!     kind: Kind::Totp { period: 30 },
//!     algorithm: Algorithm::Sha1,
//!     digits: 8,
//!     // The seed of RFC 6238 appendix B; a real one is `Seed::random(20, fill)`.
//!     seed: Seed::new(b"12345678901234567890".to_vec()).expect("20 bytes"),
//!     is_imported: false,
//!     counter: 0,
//!     restrictions: Restrictions::default(),
//!     is_confirmed: false,
//!     made_by: Maker::Uid(1000),
//! };
//! let new = new.make(now, lifetime);
//! let id = new.id.clone();
//! let request = Request { new, uid: 1000, verify: None, resume: false, if_unenrolled: false };
//! let rules = EnrollmentRules { unverified_lifetime: 600, max_factors: 1, skew: 1 };
//! let (enrolled, mut record) = enroll(Record::new(1000), &request, now, &rules);
//! assert!(matches!(enrolled, Ok((_, Enrolled::Added))));
//! assert!(!record.is_enrolled(), "the factor waits for its first code");
//!
//! // The first row of RFC 6238 appendix B, at 59 s.
//! let code = Code::parse("94287082").expect("eight digits");
//! let throttle = ThrottleRules {
//!     free_failures: 3,
//!     first_wait: 30,
//!     longest_wait: 3600,
//!     lock_after: 100,
//!     known_source: 30 * 86_400,
//! };
//! let maker = Maker::Uid(1000);
//! let time = Moment { now: 59, voids: &VoidWindows::NONE };
//! let confirmed = confirm(&mut record, maker, id.as_str(), &code, time, &rules, &throttle);
//! assert_eq!(confirmed, Confirmation::Verified);
//! assert!(record.is_enrolled());
//! ```
#![no_std]

extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod account;
pub mod authorization;
pub mod code;
mod code_comparison;
pub mod decoy;
pub mod enrollment;
pub mod factor;
#[cfg(any(test, feature = "fixtures"))]
pub mod fixtures;
pub mod hmac;
pub mod management;
pub mod mark;
pub mod moment;
pub mod otp;
pub mod policy;
pub mod record;
pub mod record_key;
pub mod recovery_codes;
pub mod remembered;
pub mod restoration;
pub mod resync;
pub mod seed;
pub mod source;
pub mod throttle;
pub mod trust;
pub mod user_name;
pub mod verification;
pub mod void_windows;
