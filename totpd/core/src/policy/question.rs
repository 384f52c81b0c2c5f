//! All that rules may look at.

use crate::policy::groups::Groups;
use crate::policy::place::Place;

/// All that rules may look at.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// The user.
    pub user: Person<'a>,
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

/// The user of a login, as NSS knows it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Person<'a> {
    /// The account of this name, as NSS spells it.
    Account(&'a str),
    /// Nobody has that name.
    Nobody,
    /// NSS failed. Somebody may have that name.
    Unknown,
}
