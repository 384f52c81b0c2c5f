//! What changes from one list of rules to another.

use alloc::string::String;
use alloc::vec::Vec;

use crate::policy::decision::decide;
use crate::policy::fit::Fit;
use crate::policy::groups::Groups;
use crate::policy::place::Place;
use crate::policy::question::{Person, Question};
use crate::policy::representatives::Subject;
use crate::policy::requirement::Requirement;
use crate::policy::rule_list::Policy;

/// One list of rules, and the time at which it judges: never before a deadline that passed.
#[derive(Clone, Copy, Debug)]
pub struct Judge<'r> {
    /// The rules.
    pub policy: &'r Policy,
    /// The time, in seconds since 1970.
    pub now: u64,
}

/// The logins that are compared.
#[derive(Clone, Debug, Default)]
pub struct World {
    /// The users.
    pub users: Vec<Subject>,
    /// The services, each with what people call it.
    pub services: Vec<(String, String)>,
    /// The places, each with what people call it.
    pub places: Vec<(String, Place)>,
}

/// A change of what logins need.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Change<'a> {
    /// Who logs in.
    pub users: Vec<&'a str>,
    /// At which services.
    pub services: Vec<&'a str>,
    /// From where.
    pub places: Vec<&'a str>,
    /// What they need by the first list.
    pub before: Requirement<'a>,
    /// What they need by the second list.
    pub after: Requirement<'a>,
}

/// Returns the logins that need something else by the second list. Those with the same change are
/// together.
#[must_use]
pub fn compare<'a>(before: Judge<'a>, after: Judge<'a>, world: &'a World) -> Vec<Change<'a>> {
    let mut changes: Vec<Change<'a>> = Vec::new();
    for user in &world.users {
        let [groups_before, groups_after] = [before, after].map(|judge| groups(judge.policy, user));
        let mut of_user: Vec<Change<'a>> = Vec::new();
        for (service_label, service) in &world.services {
            let mut of_service: Vec<Change<'a>> = Vec::new();
            for (place_label, place) in &world.places {
                let needs = |judge: Judge<'a>, groups| {
                    let question = question(user, service, *place, groups, judge.now);
                    decide(judge.policy, &question, |_, _| {})
                };
                let (was, is) = (needs(before, &groups_before), needs(after, &groups_after));
                let (was, is) = (was.requirement, is.requirement);
                if was.is_like(&is, user.is_unenrolled) {
                    continue;
                }
                let change = Change {
                    users: [user.label.as_str()].into(),
                    services: [service_label.as_str()].into(),
                    places: [place_label.as_str()].into(),
                    before: was,
                    after: is,
                };
                join(&mut of_service, change, |a, b| a.services == b.services, |a| &mut a.places);
            }
            for change in of_service {
                join(&mut of_user, change, |a, b| a.places == b.places, |a| &mut a.services);
            }
        }
        for change in of_user {
            let is_same =
                |a: &Change<'_>, b: &Change<'_>| a.places == b.places && a.services == b.services;
            join(&mut changes, change, is_same, |a| &mut a.users);
        }
    }
    changes
}

/// Adds a change to one that it goes with, or to the end.
fn join<'a>(
    changes: &mut Vec<Change<'a>>,
    change: Change<'a>,
    is_same: impl Fn(&Change<'a>, &Change<'a>) -> bool,
    list: impl for<'b> Fn(&'b mut Change<'a>) -> &'b mut Vec<&'a str>,
) {
    let mut others = changes.iter_mut();
    let other = others.find(|other| {
        is_same(other, &change) && other.before == change.before && other.after == change.after
    });
    match other {
        None => changes.push(change),
        Some(other) => {
            let mut change = change;
            let more = core::mem::take(list(&mut change));
            list(other).extend(more);
        }
    }
}

/// Returns what rules may look at for a login of the world.
pub(super) fn question<'q>(
    user: &'q Subject,
    service: &'q str,
    place: Place,
    groups: &'q Groups,
    now: u64,
) -> Question<'q> {
    Question {
        user: Person::Account(&user.name),
        is_unenrolled: user.is_unenrolled,
        service: Some(service),
        place,
        groups,
        now,
    }
}

/// Returns the groups of a user, in the order of these rules.
pub(super) fn groups(policy: &Policy, user: &Subject) -> Groups {
    let fit = |group| user.groups.get(group).copied().unwrap_or(user.otherwise);
    Groups::new(policy.groups().iter().map(fit).collect::<Vec<Fit>>())
}

#[cfg(test)]
mod tests;
