//! How long a pending factor waits.

use crate::factor::{Factor, Status};
use crate::record::Record;

/// Drops the factors that were pending for too long.
pub fn expire(record: &mut Record, now: u64) {
    record.retire(now, |factor| {
        expiry(factor).is_none_or(|expires| !has_expired(factor, expires, now))
    });
}

/// Returns the time of the removal of a pending factor, in seconds since 1970. Other factors have
/// none.
#[must_use]
pub fn expiry(factor: &Factor) -> Option<u64> {
    match factor.status {
        Status::AwaitsLogin { expires, .. } | Status::Unverified { expires, .. } => Some(expires),
        Status::Disabled | Status::Unsynchronized | Status::Verified => None,
    }
}

/// Reports whether the wait of the factor is over. A clock that is set to before the creation of
/// the factor ends the wait too.
pub(super) fn has_expired(factor: &Factor, expires: u64, now: u64) -> bool {
    now >= expires || now < factor.created
}
