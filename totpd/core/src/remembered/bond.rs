//! What a remembered login is bound to, besides the user.

use alloc::boxed::Box;
use core::net::IpAddr;

use serde::{Deserialize, Serialize};

/// The source and the service of a login that may be remembered.
///
/// An address counts whole here, unlike for the throttle. A translator of addresses (RFC 6052) puts
/// all of IPv4 into one /64 of IPv6, and some providers put all their customers there.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Bond {
    /// The address. One of IPv4 is never in its IPv6 form.
    pub address: IpAddr,
    /// The PAM service.
    pub service: Box<str>,
}
