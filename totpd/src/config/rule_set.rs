//! The checked rules of all files, and where they stand.

use totpd_core::policy::{GroupName, Policy, Rule};

/// The checked rules of all files, and where they stand.
#[derive(Clone, Debug, Default)]
pub struct RuleSet {
    /// The rules.
    pub(crate) policy: Policy,
    /// `FILE:LINE` of each rule, in the order of the rules.
    pub(super) places: Vec<String>,
    /// The groups that the rules name, each with the file and the line where it first stands.
    pub(super) group_places: Vec<(GroupName, String)>,
}

impl RuleSet {
    /// Returns rules that stand in no file.
    #[cfg(test)]
    pub(crate) fn of(rules: Vec<Rule>) -> Self {
        Self { policy: Policy::new(rules), ..Self::default() }
    }

    /// Returns the rules, each with the file and the line where it stands.
    pub(crate) fn placed(&self) -> impl Iterator<Item = (&Rule, &str)> {
        let places = self.places.iter().map(String::as_str).chain(std::iter::repeat(""));
        self.policy.rules().zip(places)
    }

    /// Returns the faults that keep no rule from being in force: groups that NSS does not know or
    /// cannot look up, by file and line. It asks NSS, which may take long.
    #[must_use]
    pub fn warnings(&self) -> Vec<String> {
        let unknown = |(group, place): &(GroupName, String)| {
            let group = group.as_str();
            match nix::unistd::Group::from_name(group) {
                Ok(Some(_)) => None,
                Ok(None) => Some(format!(
                    "{place}: groups: no group {group:?} is known, so it has no members; correct the name"
                )),
                Err(error) => Some(format!(
                    "{place}: groups: group {group:?} cannot be looked up ({}), so the rule counts as \
                     strictly as it can; see nsswitch.conf",
                    error.desc()
                )),
            }
        };
        self.group_places.iter().filter_map(unknown).collect()
    }
}
