//! Doubts about single rules: users that they name, deadlines, and whether root has a way in.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::unistd::User;
use totpd_core::policy::representatives::{place_holders, places, services, unnamed_users};
use totpd_core::policy::{Everybody, Judge, Policy, Rule, Then, World, reaches};

use crate::config::doubt::Doubt;
use crate::host::clock;

/// A rule with the file and the line where it stands.
type Placed<'a> = (&'a Rule, &'a str);

/// Returns the doubts about users that NSS does not know. It asks about no more names than it has
/// time for.
pub(super) fn unknown_users<'a>(rules: impl Iterator<Item = Placed<'a>>) -> Vec<Doubt> {
    let end = Instant::now() + LOOKUP_TIME;
    let mut seen = BTreeSet::new();
    let mut doubts = Vec::new();
    for (rule, place) in rules {
        let names = rule.users.iter().flat_map(|users| users.iter().filter_map(|one| one.exact()));
        for name in names.filter(|name| seen.insert((*name).to_owned())) {
            if Instant::now() >= end {
                return doubts;
            }
            let answer = User::from_name(name).map(|user| user.map(|user| user.name));
            doubts.extend(unknown_user(name, place, answer));
        }
    }
    doubts
}

/// Returns the doubt about a user, by this answer of NSS.
fn unknown_user(name: &str, place: &str, answer: nix::Result<Option<String>>) -> Option<Doubt> {
    let (kind, message) = match answer {
        Ok(Some(spelled)) if spelled == name => return None,
        Ok(Some(spelled)) => (
            "user-unknown",
            format!(
                "users: NSS spells {name:?} as {spelled:?}, so the name fits nobody; write {spelled:?}"
            ),
        ),
        Ok(None) => (
            "user-unknown",
            format!("users: no user {name:?} is known, so the name fits nobody; correct the name"),
        ),
        Err(error) => (
            "user-not-looked-up",
            format!(
                "users: user {name:?} cannot be looked up ({}); see nsswitch.conf",
                Errno::desc(error)
            ),
        ),
    };
    Some(Doubt { kind, place: place.to_owned(), message })
}

/// Returns the doubts about deadlines that are over at `now`. The rule still asks for a code, and
/// ends `nullok`.
pub(super) fn past_deadlines<'a>(rules: impl Iterator<Item = Placed<'a>>, now: u64) -> Vec<Doubt> {
    let doubt = |(rule, place): Placed<'a>| match rule.then {
        Then::EnrollBy(deadline) if deadline.0 <= now => Some(Doubt {
            kind: "deadline-over",
            place: place.to_owned(),
            message: format!(
                "then: {} is over, so {:?} asks everybody for a code, also with nullok; write a later day if \
                 users are still to enroll",
                clock::display_local(deadline.0),
                rule.name.as_str()
            ),
        }),
        _ => None,
    };
    rules.filter_map(doubt).collect()
}

/// Returns the doubt about rules that let root in nowhere, as the first of them that refuses root.
/// Root is judged as somebody in no group.
pub(super) fn denied_root(policy: &Policy, rules: &[Placed<'_>], now: u64) -> Option<Doubt> {
    if !policy.rules().any(|rule| rule.then == Then::Deny) {
        return None;
    }
    let (none, judge) = (Policy::default(), Judge { policy, now });
    let both = [policy, &none];
    let of = |users| World { users, services: services(both), places: places(both) };
    let refused = |world: &World| {
        let reaches = reaches(judge, world);
        let all = reaches.iter().all(|reach| reach.everybody == Some(Everybody::Refused));
        all.then(|| reaches.first()?.refuses.first().map(|rule| &rule.name)).flatten()
    };
    let rule = refused(&of(place_holders(["root".to_owned()].into())))?;
    let place = rules.iter().find(|(other, _)| other.name == *rule).map(|(_, place)| *place);
    let users = match refused(&of(unnamed_users(both))) {
        Some(_) => "everybody, root too, at every service and from everywhere",
        None => "root at every service and from everywhere",
    };
    Some(Doubt {
        kind: "denies-root",
        place: place.unwrap_or_default().to_owned(),
        message: format!(
            "[[rule]] {:?} refuses {users}; put a rule for root before it, or name the users that it refuses",
            rule.as_str()
        ),
    })
}

/// How long NSS is asked about users.
const LOOKUP_TIME: Duration = Duration::from_secs(2);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_that_nss_does_not_know_or_spells_otherwise_is_a_doubt() {
        let of = |answer| unknown_user("Bob", "a.toml:3", answer);
        assert!(of(Ok(Some("Bob".into()))).is_none());
        for (answer, kind, words) in [
            (Ok(None), "user-unknown", "no user \"Bob\" is known"),
            (Ok(Some("bob".into())), "user-unknown", "write \"bob\""),
            (Err(Errno::EIO), "user-not-looked-up", "cannot be looked up"),
        ] {
            let doubt = of(answer).unwrap();
            assert_eq!((doubt.kind, doubt.place.as_str()), (kind, "a.toml:3"));
            assert!(doubt.message.starts_with("users: ") && doubt.message.contains(words));
        }
    }
}
