//! The rules in force, with what is kept for them.

use totpd_core::policy::{Groups, Policy};

use crate::config::RuleSet;
use crate::daemon::deadlines::DatedRules;
use crate::daemon::recent_answers::RecentAnswers;

/// The rules in force, with what is kept for them. A reload replaces all of it at once, so a login
/// that began with one keeps it to its end.
#[derive(Debug)]
pub(crate) struct Rulebook {
    /// The rules.
    pub(crate) rules: RuleSet,
    /// The deadlines of the rules.
    pub(super) deadlines: DatedRules,
    /// The groups of users. Groups have the numbers that these rules give them.
    pub(super) recent_groups: RecentAnswers<Groups>,
}

impl Rulebook {
    /// Returns these rules, ready to be in force.
    pub(crate) fn new(rules: RuleSet) -> Self {
        let deadlines = DatedRules::of(&rules.policy);
        Self { rules, deadlines, recent_groups: RecentAnswers::new(GROUPS_KEPT_MS) }
    }

    /// Returns the rules in the form in which they decide.
    pub(crate) fn policy(&self) -> &Policy {
        &self.rules.policy
    }
}

impl Default for Rulebook {
    fn default() -> Self {
        Self::new(RuleSet::default())
    }
}

/// The milliseconds after which NSS is asked for groups again.
const GROUPS_KEPT_MS: u64 = 60_000;
