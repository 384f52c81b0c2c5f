use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;

use super::*;
use crate::verification::{Method, Methods};

pub(super) mod fixtures;
mod monotone;
mod world;

use fixtures::{Spec, policy, question, rule};

/// Returns the name of the rule that decides, and `requirement` as a word.
fn decided(policy: &Policy, question: &Question<'_>) -> (&'static str, Option<String>) {
    let requirement = decide(policy, question, |_, _| {}).requirement;
    let word = match requirement {
        Requirement::Skip(_) => "skip",
        Requirement::EnrollUntil(..) => "enroll",
        Requirement::Code(..) => "code",
        Requirement::Deny(_) => "deny",
    };
    (word, requirement.rule().map(|rule| rule.name.to_string()))
}

#[test]
fn the_first_rule_that_fits_decides_and_without_one_a_code_is_needed() {
    let policy = policy(&[
        Spec { services: &["sudo"], ..Spec::new("always", Then::Require(Limits::NONE)) },
        Spec { users: &["svc-*"], from: &["10.0.0.0/8"], ..Spec::new("robots", Then::Skip) },
        Spec { groups: &["staff"], ..Spec::new("office", Then::Skip) },
        Spec { users: &["mallory"], groups: &["gone"], ..Spec::new("gone", Then::Deny) },
    ]);
    assert_eq!(
        policy.groups().iter().map(GroupName::as_str).collect::<Vec<_>>(),
        ["gone", "staff"]
    );
    let nowhere = Groups::new(vec![Fit::No, Fit::No]);
    let staff = Groups::new(vec![Fit::No, Fit::Yes]);
    let gone = Groups::new(vec![Fit::Yes, Fit::No]);
    for (user, service, rhost, groups, expected, name) in [
        ("svc-web", "sshd", Some("10.1.2.3"), &nowhere, "skip", Some("robots")),
        ("svc-web", "sudo-i", Some("10.1.2.3"), &nowhere, "code", Some("always")),
        ("svc-web", "sshd", Some("11.1.2.3"), &nowhere, "code", None),
        ("svc-web", "sshd", Some("11.1.2.3"), &staff, "skip", Some("office")),
        ("alice", "sshd", None, &gone, "deny", Some("gone")),
        ("mallory", "sshd", None, &nowhere, "deny", Some("gone")),
        ("alice", "sshd", None, &nowhere, "code", None),
    ] {
        let question = Question { groups, ..question(user, service, rhost) };
        let expected = (expected, name.map(ToString::to_string));
        assert_eq!(decided(&policy, &question), expected, "{user} {service} {rhost:?}");
    }
}

#[test]
fn a_walk_says_why_each_earlier_rule_does_not_fit() {
    let policy = policy(&[
        Spec { services: &["sudo"], ..Spec::new("a", Then::Skip) },
        Spec { from: &["local"], ..Spec::new("b", Then::Skip) },
        Spec { users: &["bob"], ..Spec::new("c", Then::Skip) },
        Spec { groups: &["staff"], ..Spec::new("d", Then::Skip) },
        Spec::new("e", Then::Deny),
        Spec { users: &["nobody-looks-at-it"], ..Spec::new("f", Then::Skip) },
    ]);
    let mut seen = Vec::new();
    let question = question("alice", "sshd", Some("192.0.2.1"));
    let decision = decide(&policy, &question, |rule, judgment| {
        seen.push((rule.name.to_string(), judgment));
    });
    let expected = [
        ("a", Judgment::Misfits(Condition::Services)),
        ("b", Judgment::Misfits(Condition::From)),
        ("c", Judgment::Misfits(Condition::People)),
        ("d", Judgment::Unknown(Condition::People)),
        ("e", Judgment::Fits),
    ];
    assert_eq!(seen, expected.map(|(name, judgment)| (name.to_string(), judgment)));
    assert!(decision.lacks_people && matches!(decision.requirement, Requirement::Deny(_)));
}

#[test]
fn groups_are_wanted_only_where_a_rule_needs_them() {
    let policy = policy(&[
        Spec { groups: &["staff"], services: &["sshd"], ..Spec::new("a", Then::Skip) },
        Spec { users: &["bob"], groups: &["staff"], ..Spec::new("b", Then::Skip) },
        Spec { services: &["cron"], ..Spec::new("c", Then::Skip) },
        Spec { groups: &["staff"], ..Spec::new("d", Then::Skip) },
    ]);
    for (user, service, lacks_people) in [
        ("bob", "sudo", false),
        ("bob", "sshd", true),
        ("alice", "sudo", true),
        ("alice", "cron", true),
    ] {
        let decision = decide(&policy, &question(user, service, None), |_, _| {});
        assert_eq!(decision.lacks_people, lacks_people, "{user} {service}");
    }
    let stranger = Question { user: Person::Nobody, ..question("", "sshd", None) };
    assert!(!decide(&policy, &stranger, |_, _| {}).lacks_people, "no account is in no group");
    assert!(!decide(&Policy::default(), &question("bob", "sshd", None), |_, _| {}).lacks_people);
}

#[test]
fn a_deadline_opens_only_accounts_without_a_factor_and_only_before_it() {
    let policy = policy(&[Spec::new("march", Then::EnrollBy(Deadline(100)))]);
    for (is_unenrolled, user, now, expected) in [
        (true, Person::Account("alice"), 99, "enroll"),
        (true, Person::Account("alice"), 100, "code"),
        (true, Person::Account("alice"), u64::MAX, "code"),
        (false, Person::Account("alice"), 99, "code"),
        (true, Person::Nobody, 99, "code"),
        (true, Person::Unknown, 99, "code"),
    ] {
        let question = Question { is_unenrolled, user, now, ..question("", "sshd", None) };
        assert_eq!(decided(&policy, &question).0, expected, "{is_unenrolled} {user:?} {now}");
    }
}

#[test]
fn an_unjudged_rule_leaves_the_limits_of_both() {
    let app = Methods::of(&[Method::Totp]).unwrap();
    let limits = Limits { methods: app, ..Limits::NONE };
    let policy = policy(&[
        Spec { groups: &["staff"], ..Spec::new("app", Then::Require(limits)) },
        Spec {
            services: &["sudo"],
            ..Spec::new("fresh", Then::Require(Limits { fresh: true, ..Limits::NONE }))
        },
    ]);
    let decision = decide(&policy, &question("alice", "sudo", None), |_, _| {});
    let expected = Limits { methods: app, fresh: true, ..Limits::NONE };
    assert!(matches!(decision.requirement, Requirement::Code(limits, _) if limits == expected));
}

#[test]
fn a_failed_lookup_of_the_user_is_no_absent_user() {
    let policy = policy(&[
        Spec { users: &["mallory"], ..Spec::new("gone", Then::Deny) },
        Spec { from: &["10.0.0.0/8"], ..Spec::new("office", Then::Skip) },
    ]);
    for (user, expected, lacks_people) in [
        (Person::Account("alice"), "skip", false),
        (Person::Nobody, "skip", false),
        (Person::Unknown, "deny", true),
    ] {
        let question = Question { user, ..question("", "sshd", Some("10.1.2.3")) };
        let decision = decide(&policy, &question, |_, _| {});
        assert_eq!(decided(&policy, &question).0, expected, "{user:?}");
        assert_eq!(decision.lacks_people, lacks_people, "{user:?}");
        assert_eq!(decision.is_in_doubt, lacks_people, "{user:?}");
    }
}

#[test]
fn only_a_deadline_that_passed_ends_nullok() {
    let march = Spec::new("march", Then::EnrollBy(Deadline(50)));
    let staff = Spec { groups: &["staff"], ..Spec::new("staff", Then::Require(Limits::NONE)) };
    for (specs, ends) in [
        (&[][..], false),
        (&[Spec::new("all", Then::Require(Limits::NONE))], false),
        (&[march], true),
        // Nobody knows whether the first one fits.
        (&[staff, march], true),
    ] {
        let policy = policy(specs);
        let decision = decide(&policy, &question("a", "sshd", None), |_, _| {});
        let Requirement::Code(limits, _) = decision.requirement else { panic!() };
        assert_eq!(limits.ends_nullok, ends, "{specs:?}");
    }
}

#[test]
fn a_rule_that_an_earlier_one_covers_is_shadowed() {
    let all = Spec::new("later", Then::Deny);
    for (earlier, later, is_shadowed) in [
        (Spec::new("all", Then::Skip), Spec { users: &["alice"], ..all }, true),
        (Spec { users: &["*"], ..all }, all, false),
        (Spec { users: &["svc-*"], ..all }, Spec { users: &["svc-a", "svc-b*"], ..all }, true),
        (Spec { users: &["svc-*"], ..all }, Spec { users: &["svc-a", "alice"], ..all }, false),
        (Spec { users: &["a"], ..all }, Spec { users: &["a"], groups: &["g"], ..all }, false),
        (Spec { users: &["a"], groups: &["g"], ..all }, Spec { users: &["a"], ..all }, true),
        (Spec { users: &["a"], groups: &["g"], ..all }, Spec { groups: &["g"], ..all }, true),
        (Spec { groups: &["g"], ..all }, Spec { groups: &["g", "h"], ..all }, false),
        (Spec { from: &["10.0.0.0/8"], ..all }, Spec { from: &["10.1.0.0/16"], ..all }, true),
        (
            Spec { from: &["10.0.0.0/8"], ..all },
            Spec { from: &["10.0.0.1", "local"], ..all },
            false,
        ),
        (Spec { from: &["local"], ..all }, Spec { from: &["seat"], ..all }, true),
        (Spec { services: &["sudo"], ..all }, Spec { services: &["sudo-i"], ..all }, true),
        (Spec { services: &["sudo"], ..all }, Spec { from: &["local"], ..all }, false),
    ] {
        let policy =
            policy(&[Spec { name: "earlier", ..earlier }, Spec { name: "later", ..later }]);
        let shadowed: Vec<_> =
            policy.shadowed().map(|(rule, by)| (rule.name.as_str(), by.name.as_str())).collect();
        let expected: &[_] = if is_shadowed { &[("later", "earlier")] } else { &[] };
        assert_eq!(shadowed, expected, "{earlier:?} {later:?}");
    }
}

#[test]
fn a_rule_that_several_earlier_ones_cover_together_is_found() {
    let all = Spec::new("later", Then::Deny);
    let staff = Spec { groups: &["staff"], ..Spec::new("staff", Then::Skip) };
    let lan = Spec { from: &["10.0.0.0/8"], ..Spec::new("lan", Then::Skip) };
    let sudo = Spec { services: &["sudo"], ..Spec::new("sudo", Then::Skip) };
    for (later, is_shadowed) in [
        (Spec { groups: &["staff", "ops"], ..all }, false),
        (Spec { groups: &["staff", "ops"], from: &["10.1.0.0/16"], ..all }, true),
        (Spec { users: &["alice"], groups: &["staff"], ..all }, false),
        (Spec { services: &["sudo", "sudo-i"], ..all }, true),
        (Spec { services: &["sudo", "su"], from: &["10.1.2.3", "local"], ..all }, false),
        (Spec { services: &["sudo"], from: &["10.1.2.3", "192.0.2.1"], ..all }, true),
        (Spec { users: &["a", "b"], from: &["10.1.2.3", "10.0.0.0/7"], ..all }, false),
        (all, false),
    ] {
        let policy = policy(&[staff, lan, sudo, later]);
        let found: Vec<_> = policy.jointly_shadowed().map(|rule| rule.name.as_str()).collect();
        assert_eq!(found.contains(&"later"), is_shadowed, "{later:?}");
    }
}

#[test]
fn ten_thousand_rules_are_a_policy() {
    let rules = (0..10_000).map(|number| {
        let user = alloc::format!("user{number}");
        rule(&Spec { users: &[&user], services: &["sshd"], ..Spec::new("r", Then::Skip) })
    });
    let policy = Policy::new(rules.collect());
    assert!(!policy.is_empty() && Policy::default().is_empty());
    assert_eq!(decided(&policy, &question("user9999", "sshd", None)).0, "skip");
    assert_eq!(decided(&policy, &question("user10000", "sshd", None)).0, "code");
}

#[test]
fn of_two_requirements_the_stricter_one_counts_and_of_like_ones_the_first() {
    let [one, two] = ["one", "two"].map(|name| rule(&Spec::new(name, Then::Skip)));
    let (early, late) = (Deadline(1), Deadline(2));
    let [skip, other_skip] = [Requirement::Skip(&one), Requirement::Skip(&two)];
    let [deny, other_deny] = [Requirement::Deny(&one), Requirement::Deny(&two)];
    let [until, other_until] = [&one, &two].map(|rule| Requirement::EnrollUntil(late, rule));
    let sooner = Requirement::EnrollUntil(early, &two);
    let code = Requirement::Code(Limits::NONE, Some(&one));
    for (this, that, expected) in [
        (skip, other_skip, skip),
        (deny, other_deny, deny),
        (until, other_until, until),
        (until, sooner, sooner),
        (sooner, until, sooner),
        (skip, until, until),
        (until, code, code),
        (code, sooner, code),
        (code, deny, deny),
        (deny, skip, deny),
    ] {
        assert_eq!(this.or_stricter(that), expected, "{this:?} {that:?}");
    }
}

#[test]
fn names_of_rules_have_bounds() {
    for (text, is_valid) in [
        ("office", true),
        ("Büro 2, 3. Stock", true),
        ("事務所", true),
        ("", false),
        (" x", false),
        ("x\n", false),
        ("a\u{1b}[31mb", false),
        (&"x".repeat(64), true),
        (&"x".repeat(65), false),
    ] {
        assert_eq!(RuleName::parse(text).is_some(), is_valid, "{text:?}");
    }
    assert!(OneOf::<u8>::new(Vec::new()).is_none());
}
