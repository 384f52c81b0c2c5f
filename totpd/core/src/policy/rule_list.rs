//! The list of the rules.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use crate::policy::groups::GroupName;
use crate::policy::rule::{Deadline, Rule, RuleName, Then};

/// The rules, in their order.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    pub(super) entries: Vec<Entry>,
    groups: Vec<GroupName>,
}

/// A rule, and its groups as indexes into [`Policy::groups`].
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) rule: Rule,
    pub(super) groups: Vec<usize>,
}

impl Policy {
    /// Returns the policy of `rules`.
    #[must_use]
    pub fn new(rules: Vec<Rule>) -> Self {
        let named = rules.iter().flat_map(|rule| rule.groups.iter().flat_map(|names| names.iter()));
        // A set, so that a name that many rules have is looked up once.
        let groups: BTreeSet<&GroupName> = named.collect();
        let index: BTreeMap<&GroupName, usize> =
            groups.iter().enumerate().map(|(index, name)| (*name, index)).collect();
        let indexes = |rule: &Rule| {
            let names = rule.groups.iter().flat_map(|names| names.iter());
            names.filter_map(|name| index.get(name).copied()).collect()
        };
        let indexes: Vec<Vec<usize>> = rules.iter().map(indexes).collect();
        let groups = groups.into_iter().cloned().collect();
        let entries = rules.into_iter().zip(indexes);
        Self { entries: entries.map(|(rule, groups)| Entry { rule, groups }).collect(), groups }
    }

    /// Reports whether there is no rule.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Returns the rules, in their order.
    pub fn rules(&self) -> impl Iterator<Item = &Rule> {
        self.entries.iter().map(|entry| &entry.rule)
    }

    /// Returns the groups that rules name, each once. [`Groups`](crate::policy::Groups) has the
    /// same order.
    #[must_use]
    pub fn groups(&self) -> &[GroupName] {
        &self.groups
    }

    /// Returns the rules that have a deadline, each with it.
    pub fn deadlines(&self) -> impl Iterator<Item = (&RuleName, Deadline)> {
        self.rules().filter_map(|rule| match rule.then {
            Then::EnrollBy(deadline) => Some((&rule.name, deadline)),
            Then::Require(_) | Then::Skip | Then::Deny => None,
        })
    }

    /// Returns the rules that can never decide, because several earlier ones together fit wherever
    /// they fit. It compares entry by entry, so it finds no network that several others fill.
    pub fn jointly_shadowed(&self) -> impl Iterator<Item = &Rule> {
        let shadowed = self.entries.iter().enumerate().filter(|(index, later)| {
            let parts = later.rule.parts();
            let earlier = || self.entries.iter().take(*index);
            let is_covered = |part: &Rule| earlier().any(|earlier| earlier.rule.covers(part));
            parts.len() > 1 && parts.iter().all(is_covered)
        });
        shadowed.map(|(_, entry)| &entry.rule)
    }

    /// Returns the rules that can never decide, each with an earlier rule that fits wherever it
    /// fits. It finds no rule that only several earlier ones together leave nothing for.
    pub fn shadowed(&self) -> impl Iterator<Item = (&Rule, &Rule)> {
        self.entries.iter().enumerate().filter_map(|(index, later)| {
            let mut earlier = self.entries.iter().take(index);
            let cover = earlier.find(|earlier| earlier.rule.covers(&later.rule))?;
            Some((&later.rule, &cover.rule))
        })
    }
}
