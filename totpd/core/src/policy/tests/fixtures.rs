//! Rules and questions as short texts.

use super::*;
use crate::source::Origin;

/// A rule. An empty list is an absent condition.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spec<'a> {
    pub(super) name: &'a str,
    pub(super) users: &'a [&'a str],
    pub(super) groups: &'a [&'a str],
    pub(super) services: &'a [&'a str],
    pub(super) from: &'a [&'a str],
    pub(super) then: Then,
}

impl<'a> Spec<'a> {
    /// Returns a rule without a condition.
    pub(super) fn new(name: &'a str, then: Then) -> Self {
        Self { name, users: &[], groups: &[], services: &[], from: &[], then }
    }
}

pub(super) fn rule(spec: &Spec<'_>) -> Rule {
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

pub(super) fn policy(specs: &[Spec<'_>]) -> Policy {
    Policy::new(specs.iter().map(rule).collect())
}

/// Returns the question of an enrolled user at second 50, about whose groups nothing is known.
/// Without `rhost` it is on this machine.
pub(super) fn question<'a>(user: &'a str, service: &'a str, rhost: Option<&str>) -> Question<'a> {
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
pub(super) fn origin(rhost: Option<&str>) -> Origin<'_> {
    Origin { rhost, ruser: Some("alice"), ..Origin::default() }
}
