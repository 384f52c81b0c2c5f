//! The parts of a rule: rules of one entry a condition, which fit together where the rule fits.

use alloc::vec;
use alloc::vec::Vec;

use crate::policy::one_of::OneOf;
use crate::policy::rule::Rule;

impl Rule {
    /// Returns the parts. A rule of one entry a condition, or of more than [`MAX_PARTS`], has
    /// itself alone.
    pub(super) fn parts(&self) -> Vec<Self> {
        let of = |count: Option<usize>| count.unwrap_or(0).max(1);
        let people =
            self.users.as_ref().map_or(0, OneOf::len) + self.groups.as_ref().map_or(0, OneOf::len);
        let services = of(self.services.as_ref().map(OneOf::len));
        let count = of(Some(people))
            .saturating_mul(services)
            .saturating_mul(of(self.from.as_ref().map(OneOf::len)));
        if count == 1 || count > MAX_PARTS {
            return vec![self.clone()];
        }
        let users = self.users.iter().flat_map(OneOf::split);
        let users = users.map(|user| Self { users: Some(user), groups: None, ..self.clone() });
        let groups = self.groups.iter().flat_map(OneOf::split);
        let groups = groups.map(|group| Self { users: None, groups: Some(group), ..self.clone() });
        let mut parts: Vec<Self> = users.chain(groups).collect();
        if parts.is_empty() {
            parts.push(self.clone());
        }
        if let Some(services) = &self.services {
            let split = |part: &Self| -> Vec<Self> {
                let with = |one| Self { services: Some(one), ..part.clone() };
                services.split().map(with).collect()
            };
            parts = parts.iter().flat_map(split).collect();
        }
        if let Some(places) = &self.from {
            let split = |part: &Self| -> Vec<Self> {
                places.split().map(|one| Self { from: Some(one), ..part.clone() }).collect()
            };
            parts = parts.iter().flat_map(split).collect();
        }
        parts
    }
}

/// The most parts that are looked at. A rule of more is a list of people rather than a rule.
const MAX_PARTS: usize = 1000;
