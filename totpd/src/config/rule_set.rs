//! The checked rules of all files, and where they stand.

use totpd_core::policy::{GroupName, Policy, Rule};

use crate::config::doubt::Doubt;
use crate::config::local_rules::never_remembers;
use crate::config::{pam_services, rule_doubts};
use crate::host::clock;
use crate::host::nss::order::hidden_outages;

/// The checked rules of all files, and where they stand.
#[derive(Clone, Debug, Default)]
pub struct RuleSet {
    /// The rules.
    pub(crate) policy: Policy,
    /// `FILE:LINE` of each rule, in the order of the rules.
    pub(super) places: Vec<String>,
    /// The groups that the rules name, each with the file and the line where it first stands.
    pub(super) group_places: Vec<(GroupName, String)>,
    /// The services that the rules name, each with the file and the line of its rule.
    pub(super) service_places: Vec<(String, String)>,
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

    /// Returns what keeps no rule from being in force, and may be wrong. It asks NSS, which may
    /// take long.
    pub(crate) fn doubts(&self) -> Vec<Doubt> {
        let (placed, now): (Vec<_>, _) = (self.placed().collect(), clock::now());
        let mut doubts = rule_doubts::unknown_users(placed.iter().copied());
        doubts.extend(self.group_places.iter().filter_map(group));
        doubts.extend(rule_doubts::past_deadlines(placed.iter().copied(), now));
        let known = (!self.service_places.is_empty()).then(pam_services::known).flatten();
        let unknown = known.map(|known| pam_services::unknown(&self.service_places, &known));
        let service = |(place, message)| Doubt { kind: "service-unknown", place, message };
        doubts.extend(unknown.unwrap_or_default().into_iter().map(service));
        let never: Vec<_> = self.policy.jointly_shadowed().map(|rule| &rule.name).collect();
        for (rule, place) in placed.iter().filter(|(rule, _)| never.contains(&&rule.name)) {
            let name = rule.name.as_str();
            let message = format!(
                "[[rule]] {name:?} can never decide, because earlier rules together fit wherever it fits; \
                 move it before them, or remove it"
            );
            doubts.push(Doubt { kind: "never-decides", place: (*place).to_owned(), message });
        }
        for (rule, place) in placed.iter().filter(|(rule, _)| never_remembers(rule)) {
            let name = rule.name.as_str();
            let message = format!(
                "[[rule]] {name:?} never remembers a login: it is for this machine, and only logins from an \
                 address are remembered; remove remember and burst, or name other services"
            );
            doubts.push(Doubt { kind: "never-remembers", place: (*place).to_owned(), message });
        }
        doubts.extend(rule_doubts::denied_root(&self.policy, &placed, now));
        let names_people = |rule: &Rule| rule.users.is_some() || rule.groups.is_some();
        let mut databases = Vec::new();
        if self.policy.rules().any(names_people) {
            databases.push("passwd");
        }
        if !self.policy.groups().is_empty() {
            databases.push("group");
        }
        let hidden = hidden_outages(&databases).into_iter();
        let hidden = hidden.map(|(place, message)| Doubt { kind: "outage-hidden", place, message });
        doubts.extend(hidden);
        doubts
    }

    /// Returns these doubts as lines with file and line.
    #[must_use]
    pub fn warnings(&self) -> Vec<String> {
        self.doubts().iter().map(Doubt::line).collect()
    }
}

/// Returns the doubt about a group, if there is one.
fn group((group, place): &(GroupName, String)) -> Option<Doubt> {
    let group = group.as_str();
    let (kind, message) = match nix::unistd::Group::from_name(group) {
        Ok(Some(_)) => return None,
        Ok(None) => (
            "group-unknown",
            format!("groups: no group {group:?} is known, so it has no members; correct the name"),
        ),
        Err(error) => (
            "group-not-looked-up",
            format!(
                "groups: group {group:?} cannot be looked up ({}), so the rule counts as strictly as it can; see \
                 nsswitch.conf",
                error.desc()
            ),
        ),
    };
    Some(Doubt { kind, place: place.clone(), message })
}
