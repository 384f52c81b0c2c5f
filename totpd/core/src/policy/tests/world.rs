//! Every pair of rules in a small world, beside an oracle that knows only this world.
//!
//! The oracle tries each way in which the conditions that nobody can judge may turn out. It goes
//! through the rules from the end, and has no floor, no patterns and no networks.

use super::fixtures::{Spec, rule};
use super::*;
use crate::source::Origin;

/// A rule of this world: one choice of each table below.
#[derive(Clone, Copy, Debug)]
struct Choice {
    people: usize,
    service: usize,
    place: usize,
    then: usize,
}

/// Users and groups of a rule.
const PEOPLE: [(&[&str], &[&str]); 6] = [
    (&[], &[]),
    (&["alice"], &[]),
    (&["svc-*"], &[]),
    (&[], &["staff"]),
    (&["alice"], &["wheel"]),
    (&[], &["lost"]),
];
const SERVICES: [&[&str]; 3] = [&[], &["sshd"], &["sudo"]];
const PLACES: [&[&str]; 4] = [&[], &["10.0.0.0/8"], &["local"], &["seat"]];
const THENS: [Then; 4] =
    [Then::Require(Limits::NONE), Then::Skip, Then::Deny, Then::EnrollBy(Deadline(100))];

/// Who asks: name, whether it has no factor, and the groups lost, staff and wheel.
const USERS: [(Person<'_>, bool, [Fit; 3]); 4] = [
    (Person::Account("alice"), false, [Fit::Unknown, Fit::Yes, Fit::No]),
    (Person::Account("svc-web"), true, [Fit::Unknown, Fit::No, Fit::Yes]),
    (Person::Nobody, true, [Fit::Unknown; 3]),
    (Person::Unknown, true, [Fit::Unknown; 3]),
];
const ASKING: [Option<&str>; 4] = [Some("sshd"), Some("sudo"), Some("sudo-i"), None];
/// Where from: the remote end, the user who asks, and whether that one sits at the machine.
const COMING: [(Option<&str>, Option<&str>, Fit); 5] = [
    (Some("10.1.2.3"), None, Fit::No),
    (None, Some("alice"), Fit::Yes),
    (None, Some("alice"), Fit::Unknown),
    (Some("localhost"), None, Fit::No),
    (None, None, Fit::Yes),
];

/// Which answers a condition can have.
type Possible = &'static [bool];
const YES: Possible = &[true];
const NO: Possible = &[false];
const EITHER: Possible = &[true, false];

fn people(choice: usize, user: usize) -> Possible {
    match (choice, user) {
        (0, _) | (1 | 3 | 4, 0) | (2 | 4, 1) => YES,
        (5, 0 | 1) | (_, 3) => EITHER,
        _ => NO,
    }
}

fn service(choice: usize, service: usize) -> Possible {
    match (choice, service) {
        (0, _) | (1, 0) | (2, 1 | 2) => YES,
        (_, 3) => EITHER,
        _ => NO,
    }
}

fn place(choice: usize, place: usize) -> Possible {
    match (choice, place) {
        (0, _) | (1, 0) | (2, 1 | 2) | (3, 1) => YES,
        (1, 3) | (3, 2) | (_, 4) => EITHER,
        _ => NO,
    }
}

/// How strict an outcome is: skip, enroll, code, deny.
fn strictness(then: usize, user: usize) -> u8 {
    match (then, user) {
        (0, _) => 2,
        (1, _) => 0,
        (2, _) => 3,
        // Only svc-web is an account without a factor.
        (_, 1) => 1,
        _ => 2,
    }
}

/// Returns the strictest outcome of all ways in which the rules may fit.
fn oracle(rules: &[Choice], at: [usize; 3]) -> u8 {
    let Some((first, rest)) = rules.split_first() else { return 2 };
    let [user, asking, coming] = at;
    let conditions =
        [people(first.people, user), service(first.service, asking), place(first.place, coming)];
    let can_fit = conditions.iter().all(|possible| possible.contains(&true));
    let can_misfit = conditions.iter().any(|possible| possible.contains(&false));
    let fitting = can_fit.then(|| strictness(first.then, user));
    let misfitting = can_misfit.then(|| oracle(rest, at));
    fitting.max(misfitting).unwrap_or(u8::MAX)
}

fn all_choices() -> Vec<Choice> {
    let mut all = Vec::new();
    for people in 0..PEOPLE.len() {
        for service in 0..SERVICES.len() {
            for place in 0..PLACES.len() {
                for then in 0..THENS.len() {
                    all.push(Choice { people, service, place, then });
                }
            }
        }
    }
    all
}

fn rule_of(choice: Choice) -> Rule {
    let (users, groups) = PEOPLE[choice.people];
    let (services, from) = (SERVICES[choice.service], PLACES[choice.place]);
    rule(&Spec { users, groups, services, from, ..Spec::new("rule", THENS[choice.then]) })
}

/// Returns what the policy knows of the groups of a user.
fn groups_of(policy: &Policy, user: usize) -> Groups {
    let (_, _, memberships) = USERS[user];
    let names = ["lost", "staff", "wheel"];
    let index = |group: &GroupName| names.iter().position(|name| *name == group.as_str()).unwrap();
    Groups::new(policy.groups().iter().map(|group| memberships[index(group)]).collect())
}

fn decided(policy: &Policy, groups: &Groups, at: [usize; 3]) -> u8 {
    let [user, asking, coming] = at;
    let (name, is_unenrolled, _) = USERS[user];
    let (rhost, ruser, at_seat) = COMING[coming];
    let origin = Origin { rhost, ruser, ..Origin::default() };
    let question = Question {
        user: name,
        is_unenrolled,
        service: ASKING[asking],
        place: Place::locate(&origin, at_seat),
        groups,
        now: 99,
    };
    match decide(policy, &question, |_, _| {}).requirement {
        Requirement::Skip(_) => 0,
        Requirement::EnrollUntil(..) => 1,
        Requirement::Code(..) => 2,
        Requirement::Deny(_) => 3,
    }
}

#[test]
#[cfg_attr(miri, ignore = "millions of decisions")]
fn every_pair_of_rules_decides_as_the_oracle_does() {
    let choices = all_choices();
    let rules: Vec<_> = choices.iter().copied().map(rule_of).collect();
    let mut count = 0_u32;
    for (first, first_rule) in choices.iter().zip(&rules) {
        for (second, second_rule) in choices.iter().zip(&rules) {
            let pair = [*first, *second];
            let policy = Policy::new(vec![first_rule.clone(), second_rule.clone()]);
            for user in 0..USERS.len() {
                let groups = groups_of(&policy, user);
                for rest in 0..ASKING.len() * COMING.len() {
                    let at = [user, rest / COMING.len(), rest % COMING.len()];
                    assert_eq!(decided(&policy, &groups, at), oracle(&pair, at), "{pair:?} {at:?}");
                    count += 1;
                }
            }
        }
    }
    assert_eq!(count, 288 * 288 * 80);
}
