//! One `[[rule]]` of a file.

use serde::Deserialize;
use toml::Spanned;
use totpd_core::policy::{
    Burst, GroupName, Limits, OneOf, PlacePattern, Remember, Rule, RuleName, ServicePattern, Then,
    UserPattern,
};
use totpd_core::verification::Methods;

use crate::config::rule_values::{
    Outcome, burst, group, methods, name, places, remember, services, users,
};

/// The keys of a rule. `name` and `then` are required.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RuleTable {
    #[serde(deserialize_with = "name")]
    pub(crate) name: RuleName,
    #[serde(default, deserialize_with = "users")]
    users: Option<OneOf<UserPattern>>,
    #[serde(default)]
    pub(crate) groups: Option<Vec<Spanned<Group>>>,
    #[serde(default, deserialize_with = "services")]
    services: Option<OneOf<ServicePattern>>,
    #[serde(default, deserialize_with = "places")]
    from: Option<OneOf<PlacePattern>>,
    then: Outcome,
    #[serde(default, deserialize_with = "methods")]
    methods: Option<Methods>,
    #[serde(default, deserialize_with = "remember")]
    remember: Option<Remember>,
    #[serde(default, deserialize_with = "burst")]
    burst: Option<Burst>,
}

/// The name of a group.
#[derive(Clone, Debug, Deserialize)]
#[serde(transparent)]
pub(crate) struct Group(#[serde(deserialize_with = "group")] pub(crate) GroupName);

impl RuleTable {
    /// Returns the rule.
    ///
    /// # Errors
    /// Says which key does not go with another one.
    pub(crate) fn into_rule(self) -> Result<Rule, &'static str> {
        let groups = match self.groups {
            None => None,
            Some(groups) => {
                let names = groups.into_iter().map(|group| group.into_inner().0).collect();
                Some(
                    OneOf::new(names)
                        .ok_or("groups: the list is empty; remove the key or name a group")?,
                )
            }
        };
        if self.then != Outcome::Require && (self.remember.is_some() || self.burst.is_some()) {
            return Err(
                "remember, burst: only a code is remembered, so then must be \"require\"; remove the key",
            );
        }
        let (remember, burst) = (self.remember, self.burst);
        let then = match (self.then, self.methods) {
            (Outcome::Require, methods) => {
                let methods = methods.unwrap_or_default();
                Then::Require(Limits { methods, remember, burst, ..Limits::NONE })
            }
            (_, Some(_)) => {
                return Err(
                    "methods: only a rule with then = \"require\" has methods; remove the key",
                );
            }
            (Outcome::Skip, None) => Then::Skip,
            (Outcome::Deny, None) => Then::Deny,
            (Outcome::EnrollBy(deadline), None) => Then::EnrollBy(deadline),
        };
        let (name, users) = (self.name, self.users);
        Ok(Rule { name, users, groups, services: self.services, from: self.from, then })
    }
}
