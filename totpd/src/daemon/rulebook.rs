//! The rules in force, with what is kept for them.

use std::collections::BTreeSet;

use totpd_core::policy::Policy;

use crate::config::RuleSet;
use crate::daemon::recent_groups::RecentGroups;

/// The rules in force, with what is kept for them. A reload replaces all of it at once, so a login
/// that began with one keeps it to its end.
#[derive(Debug, Default)]
pub(crate) struct Rulebook {
    /// The rules.
    pub(crate) rules: RuleSet,
    /// The deadlines of the rules.
    pub(super) deadlines: BTreeSet<u64>,
    /// The groups of users. Groups have the numbers that these rules give them.
    pub(super) recent_groups: RecentGroups,
}

impl Rulebook {
    /// Returns these rules, ready to be in force.
    pub(crate) fn new(rules: RuleSet) -> Self {
        let deadlines = rules.policy.deadlines().map(|deadline| deadline.0).collect();
        Self { rules, deadlines, recent_groups: RecentGroups::default() }
    }

    /// Returns the rules in the form in which they decide.
    pub(crate) fn policy(&self) -> &Policy {
        &self.rules.policy
    }
}
