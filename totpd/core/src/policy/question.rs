//! All that rules may look at.

use crate::policy::groups::Groups;
use crate::policy::place::Place;

/// All that rules may look at.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// The name of the account as NSS spells it; `None` for a name without an account.
    pub user: Option<&'a str>,
    /// The flag that the account has no factor, so that it may make one
    /// ([`may_skip`](crate::enrollment::may_skip)). What is not known reads as `false`.
    pub is_unenrolled: bool,
    /// The PAM service.
    pub service: Option<&'a str>,
    /// The place.
    pub place: Place,
    /// The groups of the account.
    pub groups: &'a Groups,
    /// The time, in seconds since 1970. It is never before a deadline that passed.
    pub now: u64,
}
