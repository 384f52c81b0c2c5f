//! One rule of the administrator.

use alloc::string::String;
use core::fmt;

use crate::policy::groups::GroupName;
use crate::policy::limits::Limits;
use crate::policy::one_of::OneOf;
use crate::policy::pattern::{ServicePattern, UserPattern};
use crate::policy::place::PlacePattern;

/// One rule. A condition that is absent fits every login.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Rule {
    /// The name, for the journal and for people.
    pub name: RuleName,
    /// The users. If `groups` is absent, only they fit; otherwise members of a group fit too.
    pub users: Option<OneOf<UserPattern>>,
    /// The groups.
    pub groups: Option<OneOf<GroupName>>,
    /// The PAM services.
    pub services: Option<OneOf<ServicePattern>>,
    /// The places.
    pub from: Option<OneOf<PlacePattern>>,
    /// What the login needs.
    pub then: Then,
}

/// The name of a rule: 1 to 64 characters, none of them a control character.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct RuleName(String);

/// What a login needs that a rule fits.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Then {
    /// A code.
    Require(Limits),
    /// No code.
    Skip,
    /// Nothing helps: it is refused.
    Deny,
    /// A code, but not before that time from a user without a factor.
    EnrollBy(Deadline),
}

/// The first second, since 1970, at which a user without a factor is refused.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Deadline(pub u64);

impl Rule {
    /// Reports whether this rule fits every login that `other` fits.
    pub(super) fn covers(&self, other: &Self) -> bool {
        covers(self.services.as_ref(), other.services.as_ref(), ServicePattern::covers)
            && covers(self.from.as_ref(), other.from.as_ref(), PlacePattern::covers)
            && self.covers_people_of(other)
    }

    fn covers_people_of(&self, other: &Self) -> bool {
        let is_for_all = |rule: &Self| rule.users.is_none() && rule.groups.is_none();
        if is_for_all(self) || is_for_all(other) {
            return is_for_all(self);
        }
        covers_named(self.users.as_ref(), other.users.as_ref(), UserPattern::covers)
            && covers_named(self.groups.as_ref(), other.groups.as_ref(), PartialEq::eq)
    }
}

impl RuleName {
    /// Parses a name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let is_valid = (1..=MAX_NAME_CHARS).contains(&text.chars().count())
            && !text.chars().any(char::is_control)
            && text.trim() == text;
        is_valid.then(|| Self(text.into()))
    }

    /// Returns the name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RuleName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Compares a condition: an absent one fits all.
fn covers<T>(
    wide: Option<&OneOf<T>>,
    narrow: Option<&OneOf<T>>,
    entry: impl Fn(&T, &T) -> bool,
) -> bool {
    match (wide, narrow) {
        (None, _) => true,
        (Some(_), None) => false,
        (Some(wide), Some(narrow)) => wide.covers(narrow, entry),
    }
}

/// Compares users or groups of a rule that names people: an absent list names nobody.
fn covers_named<T>(
    wide: Option<&OneOf<T>>,
    narrow: Option<&OneOf<T>>,
    entry: impl Fn(&T, &T) -> bool,
) -> bool {
    match (wide, narrow) {
        (_, None) => true,
        (None, Some(_)) => false,
        (Some(wide), Some(narrow)) => wide.covers(narrow, entry),
    }
}

const MAX_NAME_CHARS: usize = 64;
