//! The rules of all files, in their order.

use std::collections::BTreeMap;
use std::path::Path;

use toml::Spanned;
use totpd_core::policy::{GroupName, Policy, Rule};

use crate::config::error::ConfigError;
use crate::config::rule::RuleTable;
use crate::config::rule_set::RuleSet;
use crate::config::setting_lines::line;

/// The rules of files, in the order of the files and then of each file.
#[derive(Clone, Debug, Default)]
pub(crate) struct RuleList(Vec<PlacedRule>);

/// A rule, and where it stands.
#[derive(Clone, Debug)]
struct PlacedRule {
    rule: Rule,
    /// `FILE:LINE` of the table.
    place: String,
    groups: Vec<(GroupName, String)>,
}

impl RuleList {
    /// Reads the tables of the file `path`, whose content is `text`.
    ///
    /// # Errors
    /// [`ConfigError::Content`] if keys of a rule do not go together.
    pub(super) fn new(
        path: &Path,
        text: &str,
        tables: Vec<Spanned<RuleTable>>,
    ) -> Result<Self, ConfigError> {
        let place = |offset| format!("{}:{}", path.display(), line(text, offset));
        let read = |table: Spanned<RuleTable>| {
            let start = table.span().start;
            let table = table.into_inner();
            let groups = table.groups.iter().flatten();
            let groups = groups.map(|group| (group.get_ref().0.clone(), place(group.span().start)));
            let groups = groups.collect();
            let rule = table.into_rule().map_err(|message| ConfigError::Content {
                path: path.to_path_buf(),
                line: line(text, start),
                message: message.to_owned(),
            })?;
            Ok(PlacedRule { rule, place: place(start), groups })
        };
        tables.into_iter().map(read).collect::<Result<_, _>>().map(Self)
    }

    /// Returns these rules, and then those of `later`.
    pub(super) fn followed_by(mut self, later: Self) -> Self {
        self.0.extend(later.0);
        self
    }

    /// Returns the groups that the rules name, each with the place where it first stands.
    fn group_places(&self) -> Vec<(GroupName, String)> {
        let mut places: Vec<(GroupName, String)> = Vec::new();
        for (group, place) in self.0.iter().flat_map(|rule| &rule.groups) {
            if !places.iter().any(|(other, _)| other == group) {
                places.push((group.clone(), place.clone()));
            }
        }
        places
    }

    /// Returns the services that the rules name, each with the place of its rule.
    fn service_places(&self) -> Vec<(String, String)> {
        let of_rule = |placed: &PlacedRule| {
            let patterns = placed.rule.services.iter().flat_map(|services| services.iter());
            let names = patterns.filter_map(|pattern| pattern.exact());
            names.map(|name| (name.to_owned(), placed.place.clone())).collect::<Vec<_>>()
        };
        self.0.iter().flat_map(of_rule).collect()
    }

    /// Returns the rules, ready to be in force.
    ///
    /// # Errors
    /// [`ConfigError::Contradiction`] if two rules have one name, or one can never decide.
    pub(super) fn checked(self) -> Result<RuleSet, ConfigError> {
        let (group_places, service_places) = (self.group_places(), self.service_places());
        let all_places = self.0.iter().map(|placed| placed.place.clone()).collect();
        let mut places = BTreeMap::new();
        for PlacedRule { rule, place, .. } in &self.0 {
            if let Some(first) = places.insert(rule.name.clone(), place.clone()) {
                let name = rule.name.as_str();
                return Err(ConfigError::Contradiction {
                    places: format!("{first} and {place}"),
                    message: format!("[[rule]] two rules have the name {name:?}; rename one"),
                });
            }
        }
        let policy = Policy::new(self.0.into_iter().map(|placed| placed.rule).collect());
        if let Some((rule, by)) = policy.shadowed().next() {
            let place = |rule: &Rule| places.get(&rule.name).map_or("", String::as_str);
            return Err(ConfigError::Contradiction {
                places: format!("{} and {}", place(by), place(rule)),
                message: format!(
                    "[[rule]] {:?} can never decide, because {:?} fits wherever it fits; move it before, \
                     or remove it",
                    rule.name.as_str(),
                    by.name.as_str()
                ),
            });
        }
        let places = all_places;
        Ok(RuleSet { policy, places, group_places, service_places, ..RuleSet::default() })
    }
}

#[cfg(test)]
mod tests;
