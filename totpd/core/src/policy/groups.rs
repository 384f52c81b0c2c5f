//! Groups that rules name, and who is in them.

use alloc::vec::Vec;
use core::fmt;

use crate::policy::fit::Fit;
use crate::user_name::UserName;

/// The name of a group, which has the characters of a user name.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct GroupName(alloc::string::String);

/// Which of the groups that the rules name an account is in.
///
/// Nobody asks NSS before a rule needs it: [`Groups::UNKNOWN`] is the knowledge until then, and
/// after a lookup that failed.
#[derive(Clone, Debug)]
pub struct Groups(Vec<Fit>);

impl GroupName {
    /// Parses a name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        UserName::parse(text).map(|_| Self(text.into()))
    }

    /// Returns the name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for GroupName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Groups {
    /// No knowledge.
    pub const UNKNOWN: Self = Self(Vec::new());

    /// Returns the memberships in the groups of [`Policy::groups`](crate::policy::Policy::groups),
    /// in their order. Those that `fits` lacks are unknown.
    #[must_use]
    pub fn new(fits: Vec<Fit>) -> Self {
        Self(fits)
    }

    /// Returns the membership in the group with this index.
    pub(super) fn fit(&self, index: usize) -> Fit {
        self.0.get(index).copied().unwrap_or(Fit::Unknown)
    }
}
