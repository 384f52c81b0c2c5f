//! The rules in force, for administrators.

use std::fmt::Display;

use totpd_core::policy::{Burst, OneOf, Remember, Rule, Then};
use totpd_interface::{DictBuilder, Dictionary};

use crate::access::caller::Caller;
use crate::config::Doubt;
use crate::daemon::Daemon;

/// Returns the rules in force in their order, and what may be wrong with them.
pub(crate) async fn list(daemon: &Daemon, caller: Caller) -> (Vec<Dictionary>, Vec<Dictionary>) {
    let rulebook = daemon.rulebook();
    let rules = rulebook.rules.placed().map(|(rule, place)| describe(rule, place)).collect();
    // A directory that does not answer does not keep the caller.
    let doubts = daemon.doubts(caller.lane(), rulebook).await;
    (rules, doubts.iter().map(doubt).collect())
}

/// Returns a word for what a rule says.
pub(crate) fn then(rule: &Rule) -> &'static str {
    match rule.then {
        Then::Require(_) => "require",
        Then::Skip => "skip",
        Then::Deny => "deny",
        Then::EnrollBy(_) => "enroll-by",
    }
}

fn describe(rule: &Rule, place: &str) -> Dictionary {
    let deadline = match rule.then {
        Then::EnrollBy(deadline) => Some(deadline.0),
        Then::Require(_) | Then::Skip | Then::Deny => None,
    };
    let limits = match rule.then {
        Then::Require(limits) => Some(limits),
        Then::Skip | Then::Deny | Then::EnrollBy(_) => None,
    };
    let built = DictBuilder::new()
        .with("name", rule.name.as_str().to_owned())
        .with("place", place.to_owned())
        .with("then", then(rule))
        .with_some("deadline", deadline)
        .with_some("remember", limits.and_then(|limits| limits.remember).map(Remember::seconds))
        .with_some("burst", limits.and_then(|limits| limits.burst).map(Burst::seconds))
        .with_some("users", texts(rule.users.as_ref()))
        .with_some("groups", texts(rule.groups.as_ref()))
        .with_some("services", texts(rule.services.as_ref()))
        .with_some("from", texts(rule.from.as_ref()));
    built.into()
}

fn texts<T: Display>(list: Option<&OneOf<T>>) -> Option<Vec<String>> {
    list.map(|list| list.iter().map(ToString::to_string).collect())
}

fn doubt(doubt: &Doubt) -> Dictionary {
    let built = DictBuilder::new()
        .with("kind", doubt.kind)
        .with("place", doubt.place.clone())
        .with("message", doubt.message.clone());
    built.into()
}
