//! What a login needs, and which of two requirements is the stricter one.

use crate::policy::limits::Limits;
use crate::policy::rule::{Deadline, Rule};

/// What a login needs, by which rule.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Requirement<'r> {
    /// No code.
    Skip(&'r Rule),
    /// No code, because the user has no factor and time until then to make one.
    EnrollUntil(Deadline, &'r Rule),
    /// A code within limits. Without a rule, because none fits.
    Code(Limits, Option<&'r Rule>),
    /// Nothing helps. It is asked like any other, and refused.
    Deny(&'r Rule),
}

impl<'r> Requirement<'r> {
    /// The requirement where no rule fits.
    pub const DEFAULT: Self = Self::Code(Limits::NONE, None);

    /// Returns the rule that decided; `None` if none fits.
    #[must_use]
    pub fn rule(&self) -> Option<&'r Rule> {
        match self {
            Self::Skip(rule) | Self::EnrollUntil(_, rule) | Self::Deny(rule) => Some(rule),
            Self::Code(_, rule) => *rule,
        }
    }

    /// Reports whether a login needs the same by both, whatever rules say so. The option `nullok`
    /// is only for users without a factor.
    #[must_use]
    pub fn is_like(&self, other: &Self, is_unenrolled: bool) -> bool {
        let counting =
            |limits: Limits| Limits { ends_nullok: limits.ends_nullok && is_unenrolled, ..limits };
        match (self, other) {
            (Self::Skip(_), Self::Skip(_)) | (Self::Deny(_), Self::Deny(_)) => true,
            (Self::Code(limits, _), Self::Code(others, _)) => {
                counting(*limits) == counting(*others)
            }
            (Self::EnrollUntil(one, _), Self::EnrollUntil(other, _)) => one == other,
            _ => false,
        }
    }

    /// Returns the stricter of two requirements, and of two that are alike this one. Two codes
    /// become one within the limits of both.
    #[must_use]
    pub(super) fn or_stricter(self, other: Self) -> Self {
        match (self, other) {
            (Self::Code(limits, rule), Self::Code(others, _)) => {
                Self::Code(limits.and(others), rule)
            }
            (Self::EnrollUntil(this, _), Self::EnrollUntil(that, _)) if that < this => other,
            (this, that) if that.strictness() > this.strictness() => that,
            (this, _) => this,
        }
    }

    fn strictness(&self) -> u8 {
        match self {
            Self::Skip(_) => 0,
            Self::EnrollUntil(..) => 1,
            Self::Code(..) => 2,
            Self::Deny(_) => 3,
        }
    }
}
