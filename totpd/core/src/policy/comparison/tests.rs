use alloc::vec;

use super::*;
use crate::policy::limits::Limits;
use crate::policy::representatives::{named_users, places, services, unnamed_users};
use crate::policy::rule::{Deadline, Then};
use crate::policy::tests::fixtures::{Spec, policy};

fn world(policies: [&Policy; 2]) -> World {
    World { users: unnamed_users(policies), services: services(policies), places: places(policies) }
}

/// Returns each change as a line.
fn lines(before: &[Spec<'_>], after: &[Spec<'_>]) -> Vec<String> {
    let (before, after) = (policy(before), policy(after));
    let world = world([&before, &after]);
    let [before, after] = [&before, &after].map(|policy| Judge { policy, now: 50 });
    let word = |requirement: &Requirement<'_>| match requirement {
        Requirement::Skip(_) => "skip",
        Requirement::EnrollUntil(..) => "enroll",
        Requirement::Code(..) => "code",
        Requirement::Deny(_) => "deny",
    };
    let line = |change: &Change<'_>| {
        alloc::format!(
            "{} at {} from {}: {} -> {}",
            change.users.join(", "),
            change.services.join(", "),
            change.places.join(", "),
            word(&change.before),
            word(&change.after)
        )
    };
    compare(before, after, &world).iter().map(line).collect()
}

#[test]
fn the_same_rules_under_other_names_change_nothing() {
    let office = Spec { from: &["10.0.0.0/8"], ..Spec::new("office", Then::Skip) };
    assert!(lines(&[office], &[Spec { name: "lan", ..office }]).is_empty());
    assert!(lines(&[], &[]).is_empty());
    assert!(lines(&[], &[Spec::new("all", Then::Require(Limits::NONE))]).is_empty());
}

#[test]
fn a_change_names_users_services_and_places_together() {
    let office = Spec {
        groups: &["staff"],
        services: &["sshd"],
        from: &["10.0.0.0/8"],
        ..Spec::new("office", Then::Skip)
    };
    assert_eq!(
        lines(&[], &[office]),
        [
            "members of staff, members of staff without a factor at sshd from 10.0.0.0, 10.255.255.255: \
          code -> skip"
        ]
    );
    let gone = Spec::new("gone", Then::Deny);
    let all = lines(&[office], &[gone]);
    assert!(
        all.iter().any(|line| line.starts_with("anybody else, ") && line.ends_with("code -> deny")),
        "{all:?}"
    );
    let places = "10.0.0.0, 10.255.255.255, elsewhere, local, a host name";
    assert!(
        all.iter().any(|line| line.contains(&alloc::format!("at sshd, any other from {places}")))
    );
    assert!(all.iter().any(|line| line.ends_with("skip -> deny")), "{all:?}");
}

#[test]
fn a_deadline_changes_those_without_a_factor() {
    let march = Spec::new("march", Then::EnrollBy(Deadline(100)));
    let april = Spec::new("march", Then::EnrollBy(Deadline(200)));
    for (before, after, expected) in
        [(&[][..], march, "code -> enroll"), (&[march], april, "enroll -> enroll")]
    {
        let found = lines(before, &[after]);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(
            found[0].starts_with(
                "anybody else without a factor at any other from elsewhere, local, a host"
            ) && found[0].ends_with(expected),
            "{found:?}"
        );
    }
    // Of a code, only whether it outlives nullok.
    let passed = lines(&[], &[Spec::new("past", Then::EnrollBy(Deadline(1)))]);
    assert_eq!(passed.len(), 1, "{passed:?}");
}

#[test]
fn representatives_are_of_both_lists() {
    let one = policy(&[Spec {
        users: &["alice", "svc-*"],
        services: &["sudo"],
        from: &["local"],
        ..Spec::new("a", Then::Skip)
    }]);
    let other = policy(&[Spec {
        users: &["*"],
        groups: &["staff"],
        services: &["s*"],
        from: &["2001:db8::/32", "192.0.2.1"],
        ..Spec::new("b", Then::Skip)
    }]);
    let both = [&one, &other];
    assert_eq!(named_users(both).into_iter().collect::<Vec<_>>(), ["alice"]);
    let labels: Vec<_> = unnamed_users(both).into_iter().map(|user| user.label).collect();
    let expected = ["svc-*", "members of staff", "anybody else"];
    assert_eq!(labels.iter().step_by(2).collect::<Vec<_>>(), expected.iter().collect::<Vec<_>>());
    let names: Vec<_> = services(both).into_iter().map(|(label, _)| label).collect();
    assert_eq!(names, vec!["s*", "sudo", "any other"]);
    let labels: Vec<_> = places(both).into_iter().map(|(label, _)| label).collect();
    assert_eq!(
        labels,
        [
            "2001:db8::",
            "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff",
            "192.0.2.1",
            "elsewhere",
            "local",
            "a host name"
        ]
    );
}
