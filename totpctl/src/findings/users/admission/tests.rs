//! Tests of who gets in by a service that asks for a code.

use serde_json::{Value, json};

use super::*;
use crate::findings::rules::refusals::Ruled;

fn owned(names: &[&str]) -> Vec<String> {
    names.iter().map(ToString::to_string).collect()
}

fn asking(service: &str, siblings: &[&str], unenrolled: Unenrolled, shut: &[&str]) -> Asking {
    Asking {
        service: service.to_owned(),
        siblings: owned(siblings),
        unenrolled,
        shut: owned(shut),
        ruled: Ruled::default(),
        refuses_root: false,
    }
}

fn holder(name: &str, factor: &Value) -> Holder {
    let factors = vec![factor.as_object().unwrap().clone()];
    Holder { name: name.into(), factors, differing: None }
}

/// The states of the only user with a factor, each with what keeps it out of sshd.
fn states() -> [(Value, Option<Obstacle>); 5] {
    let no_factor = Some(Obstacle::NoValidFactor);
    [
        (json!({ "status": "verified" }), None),
        (json!({ "status": "disabled" }), no_factor),
        (json!({ "status": "verified", "not_after": 1 }), no_factor),
        (json!({ "status": "verified", "services": ["sudo"] }), Some(Obstacle::OtherServices)),
        (json!({ "status": "verified", "services": ["sshd"] }), None),
    ]
}

/// Each state of a factor, locked or not, with each option, with and without another user, and with
/// and without another way in.
#[test]
fn a_service_that_nobody_passes_is_known() {
    for (factor, of_factor) in states() {
        for is_locked in [false, true] {
            for unenrolled in [Unenrolled::Denied, Unenrolled::Skipped, Unenrolled::Enrolls] {
                for others in [&["bob"][..], &[]] {
                    let shut: &[&str] = if is_locked { &["alice", "root"] } else { &["root"] };
                    let sshd = asking("sshd", &[], unenrolled, shut);
                    let without = owned(&[others, &["root"]].concat());
                    let alice = [holder("alice", &factor)];
                    let found = Admission::new(&sshd, &alice, &without, false, 1_000);
                    let locked = is_locked.then_some(Obstacle::LockedPassword);
                    let expected: Vec<_> = of_factor.into_iter().chain(locked).collect();
                    let case = format!("{factor} {is_locked} {unenrolled:?} {others:?}: {found:?}");
                    assert_eq!(found.admitted.is_empty(), !expected.is_empty(), "{case}");
                    let kept_out = found.kept_out.first().map(|(_, found)| found.clone());
                    assert_eq!(kept_out.unwrap_or_default(), expected, "{case}");
                    let is_denied = unenrolled == Unenrolled::Denied;
                    let lets_bob_in = !is_denied && !others.is_empty();
                    // Those with a locked password lose nothing by the code.
                    let loses_somebody = !is_locked || (is_denied && !others.is_empty());
                    let is_closed = !expected.is_empty() && !lets_bob_in && loses_somebody;
                    assert_eq!(found.lets_nobody_in(&|| false), is_closed, "{case}");
                    assert!(!found.lets_nobody_in(&|| true), "{case}");
                }
            }
        }
    }
}

#[test]
fn a_factor_for_the_sibling_is_a_way_in() {
    let of_sudo = [holder("alice", &json!({ "status": "verified", "services": ["sudo"] }))];
    for (service, siblings, expected) in [
        ("sudo", &["sudo-i"][..], &["alice"][..]),
        ("sudo-i", &["sudo"], &["alice"]),
        ("su-l", &["su"], &[]),
        ("sshd", &[], &[]),
    ] {
        let asking = asking(service, siblings, Unenrolled::Denied, &[]);
        let found = Admission::new(&asking, &of_sudo, &[], false, 1_000);
        assert_eq!(found.admitted, expected, "{service}");
    }
}

/// Each user that rules keep out, with each option, and with another user kept out or not.
#[test]
fn rules_that_let_nobody_in_are_known() {
    let refused = |users: &[(&str, Refusal)]| Ruled {
        refused: users.iter().map(|(name, why)| ((*name).to_owned(), *why)).collect(),
        ..Ruled::default()
    };
    let everybody = Ruled { refuses_everybody: true, ..Ruled::default() };
    let office = Ruled { lets_some_by: true, ..refused(&[("alice", Refusal::Refused)]) };
    let other = refused(&[("alice", Refusal::OtherMethods)]);
    let both = refused(&[("alice", Refusal::Refused), ("bob", Refusal::Refused)]);
    let (by_rule, methods) = (Some(Obstacle::RefusedByRule), Some(Obstacle::OtherMethods));
    for (ruled, unenrolled, obstacle, is_closed) in [
        (Ruled::default(), Unenrolled::Denied, None, false),
        (everybody.clone(), Unenrolled::Denied, by_rule, true),
        (everybody, Unenrolled::Skipped, by_rule, true),
        (other.clone(), Unenrolled::Denied, methods, true),
        (other, Unenrolled::Skipped, methods, false),
        (both, Unenrolled::Enrolls, by_rule, true),
        (office, Unenrolled::Denied, by_rule, false),
    ] {
        let case = format!("{ruled:?} {unenrolled:?}");
        let sshd = Asking { ruled, ..asking("sshd", &[], unenrolled, &[]) };
        let alice = [holder("alice", &json!({ "status": "verified" }))];
        let found = Admission::new(&sshd, &alice, &owned(&["bob"]), false, 1_000);
        let first = found.kept_out.first().map(|(_, found)| found.as_slice());
        assert_eq!(first, obstacle.as_ref().map(std::slice::from_ref), "{case}");
        assert_eq!(found.lets_nobody_in(&|| false), is_closed, "{case}");
        assert_eq!(usable_count(&[sshd], &alice, 1_000), u64::from(obstacle.is_none()), "{case}");
    }
    // A factor that is not valid has its own reason, and that of sshd is not one of the code.
    let ruled = refused(&[("root", Refusal::OtherMethods)]);
    let sshd = Asking { ruled, refuses_root: true, ..asking("sshd", &[], Unenrolled::Denied, &[]) };
    let root = [holder("root", &json!({ "status": "disabled" }))];
    let found = Admission::new(&sshd, &root, &[], false, 1_000);
    assert_eq!(found.reasons(), ["root (no factor is valid now, refused by sshd)"]);
    assert!(!found.lets_nobody_in(&|| false), "root never got in there");
    let found = Admission::new(&sshd, &root, &owned(&["bob"]), false, 1_000);
    assert!(found.lets_nobody_in(&|| false), "bob did");
}

#[test]
fn users_of_a_directory_lose_their_way_in_or_keep_it() {
    for (unenrolled, is_closed) in [(Unenrolled::Denied, true), (Unenrolled::Skipped, false)] {
        let asking = asking("sshd", &[], unenrolled, &["alice"]);
        let alice = [holder("alice", &json!({ "status": "verified" }))];
        let found = Admission::new(&asking, &alice, &[], true, 1_000);
        assert_eq!(found.lets_nobody_in(&|| false), is_closed, "{unenrolled:?}");
    }
}

#[test]
fn each_user_has_all_reasons() {
    let sshd = asking("sshd", &[], Unenrolled::Denied, &["alice", "bob"]);
    let mut holders = vec![
        holder("alice", &json!({ "status": "verified" })),
        holder("bob", &json!({ "status": "disabled" })),
        holder("carol", &json!({ "status": "verified", "services": ["sudo"] })),
        holder("dana", &json!({ "status": "verified" })),
    ];
    holders[3].differing = Some((1, 2));
    let found = Admission::new(&sshd, &holders, &[], false, 1_000);
    let expected = [
        "alice (password locked)",
        "bob (no factor is valid now, password locked)",
        "carol (factors for other services only)",
        "dana (factors of another uid)",
    ];
    assert_eq!(found.reasons(), expected);
    assert_eq!(
        found.advice(),
        "set a password (passwd USER), or repair a factor (totpctl show USER says why), or enroll a user who \
         can log in: totpctl enroll USER"
    );
}

#[test]
fn the_users_who_can_log_in_somewhere_are_counted() {
    let holders = [
        holder("alice", &json!({ "status": "verified" })),
        holder("bob", &json!({ "status": "disabled" })),
        holder("carol", &json!({ "status": "verified", "services": ["sudo"] })),
    ];
    let sshd = |shut| asking("sshd", &[], Unenrolled::Denied, shut);
    let sudo = || asking("sudo", &[], Unenrolled::Denied, &["carol"]);
    for (services, expected) in [
        (vec![], 2),
        (vec![sshd(&[])], 1),
        (vec![sshd(&["alice"])], 0),
        (vec![sshd(&["alice"]), sudo()], 1),
    ] {
        assert_eq!(usable_count(&services, &holders, 1_000), expected);
    }
}
