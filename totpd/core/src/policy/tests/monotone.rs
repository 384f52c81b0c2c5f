//! Less knowledge never gives a laxer requirement.

use proptest::prelude::*;

use super::fixtures::{Spec, origin, rule};
use super::*;

const USERS: [&[&str]; 3] = [&[], &["alice"], &["svc-*", "bob"]];
const USER_NAMES: [Person<'_>; 4] = [
    Person::Account("alice"),
    Person::Account("svc-web"),
    Person::Account("carol"),
    Person::Nobody,
];
const GROUPS: [&[&str]; 4] = [&[], &["a"], &["b"], &["a", "c"]];
const SERVICES: [&[&str]; 4] = [&[], &["sshd"], &["su*"], &["login", "sudo"]];
const PLACES: [&[&str]; 5] =
    [&[], &["10.0.0.0/8"], &["local"], &["seat", "10.1.0.0/16"], &["::/0"]];

fn then() -> impl Strategy<Value = Then> {
    let methods =
        prop::sample::select(vec![vec![Method::Totp], vec![Method::Hotp, Method::Recovery]]);
    let limits = (prop::option::of(methods), prop::option::of(60_u64..70), any::<bool>());
    let require = limits.prop_map(|(methods, seconds, fresh)| {
        Then::Require(Limits {
            methods: methods.and_then(|methods| Methods::of(&methods)).unwrap_or_default(),
            remember: seconds.and_then(Remember::new),
            fresh,
            ..Limits::NONE
        })
    });
    let deadline = (40_u64..60).prop_map(|date| Then::EnrollBy(Deadline(date)));
    prop_oneof![require, Just(Then::Skip), Just(Then::Deny), deadline]
}

fn rules() -> impl Strategy<Value = Vec<Rule>> {
    let any_of = |lists: &'static [&'static [&'static str]]| prop::sample::select(lists);
    let parts = (any_of(&USERS), any_of(&GROUPS), any_of(&SERVICES), any_of(&PLACES), then());
    let rule = parts.prop_map(|(users, groups, services, from, then)| {
        rule(&Spec { name: "rule", users, groups, services, from, then })
    });
    prop::collection::vec(rule, 0..7)
}

/// Reports whether the second requirement allows nothing that the first one does not.
fn is_as_strict(more: &Requirement<'_>, less: &Requirement<'_>) -> bool {
    let strictness = |requirement: &Requirement<'_>| match requirement {
        Requirement::Skip(_) => 0,
        Requirement::EnrollUntil(..) => 1,
        Requirement::Code(..) => 2,
        Requirement::Deny(_) => 3,
    };
    match (more, less) {
        (Requirement::Code(more, _), Requirement::Code(less, _)) => more.and(*less) == *less,
        (Requirement::EnrollUntil(more, _), Requirement::EnrollUntil(less, _)) => less <= more,
        _ => strictness(less) >= strictness(more),
    }
}

proptest! {
    #[test]
    fn less_knowledge_is_never_laxer(
        rules in rules(),
        user in prop::sample::select(USER_NAMES.to_vec()),
        memberships in prop::collection::vec(prop::sample::select(vec![Fit::No, Fit::Yes]), 3),
        service in prop::sample::select(vec!["sshd", "sudo", "sudo-i", "login"]),
        rhost in prop::sample::select(vec![None, Some("10.1.0.1"), Some("192.0.2.1"), Some("2001:db8::1")]),
        is_at_seat in any::<bool>(),
        is_unenrolled in any::<bool>(),
        forgotten in 0_usize..3,
    ) {
        let policy = Policy::new(rules);
        let groups = Groups::new(memberships.clone());
        let knows = Question {
            user,
            is_unenrolled,
            service: Some(service),
            place: Place::locate(&origin(rhost), is_at_seat.into()),
            groups: &groups,
            now: 50,
        };
        let mut fewer = memberships;
        fewer[forgotten] = Fit::Unknown;
        let (fewer, none) = (Groups::new(fewer), Groups::UNKNOWN);
        let place = match knows.place {
            Place::Address(_) => Place::Nowhere,
            _ => Place::Local { at_seat: Fit::Unknown },
        };
        let more = decide(&policy, &knows, |_, _| {});
        prop_assert!(!more.lacks_people);
        for less in [
            Question { groups: &fewer, ..knows },
            Question { groups: &none, ..knows },
            Question { place, ..knows },
            Question { place: Place::Unsaid, ..knows },
            Question { user: Person::Unknown, ..knows },
            Question { service: None, ..knows },
            Question { is_unenrolled: false, ..knows },
            Question {
                user: Person::Unknown,
                groups: &none,
                place: Place::Unsaid,
                service: None,
                is_unenrolled: false,
                ..knows
            },
        ] {
            let decision = decide(&policy, &less, |_, _| {});
            let is_as_strict = is_as_strict(&more.requirement, &decision.requirement);
            prop_assert!(is_as_strict, "{knows:?} {more:?} {less:?} {decision:?}");
        }
        // Groups that the decision does not lack change nothing.
        let blind = decide(&policy, &Question { groups: &none, ..knows }, |_, _| {});
        if !blind.lacks_people {
            prop_assert_eq!(blind, more);
        }
    }
}
