//! Users, commands and scopes of sudoers as phrases of a sentence. Pure.

use crate::host::sudo::sudoers::Scope;
use crate::terminal::output::join_first;

/// Returns the users of a scope as a phrase.
pub(super) fn scope(scope: &Scope) -> String {
    match scope {
        Scope::All => "everybody".to_owned(),
        Scope::Commands(names) => format!("users who run {}", join(names)),
        Scope::Hosts(names) => format!("everybody on {}", join(names)),
        Scope::Targets(names) => format!("users who become {}", people(names)),
        Scope::Users(names) => people(names),
    }
}

/// Returns users and groups as a phrase.
pub(super) fn people(users: &[String]) -> String {
    let phrases: Vec<_> = users.iter().map(|user| person(user)).collect();
    join(&phrases)
}

fn person(user: &str) -> String {
    if let Some(excluded) = user.strip_prefix('!') {
        return format!("not {}", person(excluded));
    }
    match user.split_at_checked(1) {
        _ if user == "ALL" => "everybody".to_owned(),
        _ if user.starts_with("%#") => {
            format!("members of group {}", user.trim_start_matches("%#"))
        }
        Some(("%", group)) => format!("members of {}", group.trim_start_matches(':')),
        Some(("+", netgroup)) => format!("netgroup {netgroup}"),
        Some(("#", uid)) => format!("uid {uid}"),
        _ => user.to_owned(),
    }
}

/// Returns commands as the end of a phrase; empty for all.
pub(super) fn commands(commands: &[String]) -> String {
    if commands.iter().any(|command| command == "ALL") {
        return String::new();
    }
    format!(" for {}", join(commands))
}

/// Joins names, with the number of those that are too many to name.
fn join(names: &[String]) -> String {
    match join_first(names, MAX_NAMED) {
        (named, 0) => named,
        (named, others) => format!("{named} and {others} more"),
    }
}

/// A finding stays readable.
const MAX_NAMED: usize = 5;
