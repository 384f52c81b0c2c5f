//! Rules and questions as short texts.

use super::*;
use crate::source::Origin;

/// A rule. An empty list is an absent condition.
#[derive(Clone, Copy, Debug)]
pub(in crate::policy) struct Spec<'a> {
    pub(in crate::policy) name: &'a str,
    pub(in crate::policy) users: &'a [&'a str],
    pub(in crate::policy) groups: &'a [&'a str],
    pub(in crate::policy) services: &'a [&'a str],
    pub(in crate::policy) from: &'a [&'a str],
    pub(in crate::policy) then: Then,
}

impl<'a> Spec<'a> {
    /// Returns a rule without a condition.
    pub(in crate::policy) fn new(name: &'a str, then: Then) -> Self {
        Self { name, users: &[], groups: &[], services: &[], from: &[], then }
    }
}

pub(in crate::policy) fn rule(spec: &Spec<'_>) -> Rule {
    fn list<T>(texts: &[&str], parse: impl Fn(&str) -> Option<T>) -> Option<OneOf<T>> {
        OneOf::new(texts.iter().map(|text| parse(text).unwrap()).collect())
    }
    Rule {
        name: RuleName::parse(spec.name).unwrap(),
        users: list(spec.users, |text| UserPattern::parse(text).ok()),
        groups: list(spec.groups, GroupName::parse),
        services: list(spec.services, |text| ServicePattern::parse(text).ok()),
        from: list(spec.from, |text| PlacePattern::parse(text).ok()),
        then: spec.then,
    }
}

pub(in crate::policy) fn policy(specs: &[Spec<'_>]) -> Policy {
    Policy::new(specs.iter().map(rule).collect())
}

/// Returns the question of an enrolled user at second 50, about whose groups nothing is known.
/// Without `rhost` it is on this machine.
pub(in crate::policy) fn question<'a>(
    user: &'a str,
    service: &'a str,
    rhost: Option<&str>,
) -> Question<'a> {
    static UNKNOWN: Groups = Groups::UNKNOWN;
    Question {
        user: Person::Account(user),
        is_unenrolled: false,
        service: Some(service),
        place: Place::locate(&origin(rhost), Fit::No),
        groups: &UNKNOWN,
        now: 50,
    }
}

/// Returns the origin of a login with the remote end `rhost`, or else on this machine.
pub(in crate::policy) fn origin(rhost: Option<&str>) -> Origin<'_> {
    Origin { rhost, ruser: Some("alice"), ..Origin::default() }
}
