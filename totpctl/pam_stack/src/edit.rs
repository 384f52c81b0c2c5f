//! Adds the second factor to a stack after the password, and removes it.
//!
//! Never returns a stack in which [`analyze`] finds a bypass, or which asks for a code after a
//! wrong password.

mod guard;
mod lines;
mod listener;
mod refusal;

#[cfg(test)]
mod tests;

use self::lines::{
    UNENDED, candidates, is_factor_line, line, own_lines, restore_include, with_args,
};
pub use guard::add_guard;
pub use listener::add_listener;
pub use refusal::{Refusal, WRONG_PASSWORD_RISK};

use crate::control::Action;
use crate::dispatch::Progress;
use crate::explore::{Analysis, MAX_RULES, analyze};
use crate::factor::FACTOR_FILE;
use crate::parse::{Directive, Kind, Line};
use crate::password::is_password;
use crate::proving_modules::proves_identity;
use crate::return_code::ReturnCode;
use crate::setcred_programs::never_sets_credentials;
use crate::stack::{OTHER, Place, Rule, RuleKind, Stack};

/// Returns the file of `service` with the second factor after the password, with the options
/// `args`. If the file is so already, it returns nothing. Without `args` an existing line keeps its
/// options. [`Stack::parse`] describes `read`, and [`analyze`] `exists`.
///
/// # Errors
/// [`Refusal`] if there is no safe change.
pub fn enable(
    service: &str,
    args: Option<&[String]>,
    read: &dyn Fn(&str) -> Option<String>,
    exists: &dyn Fn(&str) -> bool,
) -> Result<Option<String>, Refusal> {
    let (text, own) = own_lines(service, read)?;
    let rules = rules(service, read)?;
    check_includes(&rules)?;
    let now = analyze(&rules, exists);
    if let Some(place) = now.factor_lines.first() {
        if !is_safe(&now) {
            return Err(Refusal::Broken);
        }
        if let Some((first, second)) = now.asks_twice {
            return Err(Refusal::AsksTwice(first, second));
        }
        let elsewhere = args.is_some() && place.file != service;
        let after = |option: &str| match args {
            Some(args) if !elsewhere => args.iter().any(|arg| arg == option),
            _ => has_option(&rules, option),
        };
        check_enroll(service, after("enroll"))?;
        if after("enroll") || after("nullok") {
            check_wrong_password(&now)?;
        }
        let Some(args) = args else { return Ok(None) };
        if elsewhere {
            return Err(Refusal::Elsewhere(place.clone()));
        }
        let changed = with_args(&text, &own, args);
        return Ok((changed != text).then_some(changed));
    }
    check_enroll(service, args.unwrap_or_default().iter().any(|arg| arg == "enroll"))?;
    let new_line = line("auth   ", "required", FACTOR_FILE, args.unwrap_or_default());
    if rules.len() > MAX_RULES {
        return Err(Refusal::NoPlace);
    }
    let mut places: Vec<&Line> = own.iter().filter(|line| is_insertion_point(line)).collect();
    if !rules.iter().any(is_password) {
        // Any line may ask for the password: start after the last one.
        places.reverse();
    }
    let mut refusal = Refusal::NoPlace;
    let mut tried = 0;
    for changed in places.into_iter().flat_map(|place| candidates(&text, place, &new_line)) {
        let with = |name: &str| if name == service { Some(changed.clone()) } else { read(name) };
        let Stack::Rules(rules) = Stack::parse(service, Kind::Auth, &with) else { continue };
        if !is_after_the_password(&rules) || jump_over_factor(&rules).is_some() {
            continue;
        }
        let found = analyze(&rules, exists);
        if is_safe(&found) {
            match check_wrong_password(&found) {
                Ok(()) => return Ok(Some(changed)),
                Err(refused) => refusal = refused,
            }
        }
        tried += 1;
        if tried == MAX_CANDIDATES {
            break;
        }
    }
    Err(refusal)
}

/// Returns the file of `service` without the second factor; nothing if the file does not have it.
/// Files that it includes may still ask.
///
/// # Errors
/// [`Refusal`] if there is no safe change.
pub fn disable(
    service: &str,
    read: &dyn Fn(&str) -> Option<String>,
) -> Result<Option<String>, Refusal> {
    let (text, own) = own_lines(service, read)?;
    let before = rules(service, read)?;
    if let Some(place) = jump_over_factor(&before) {
        return Err(Refusal::Jumps(place));
    }
    let mut removed = vec![false; text.lines().count()];
    for line in own.iter().filter(|line| is_factor_line(&line.directive)) {
        for index in line.number - 1..line.last {
            if let Some(removed) = removed.get_mut(index) {
                *removed = true;
            }
        }
    }
    let mut after = String::with_capacity(text.len());
    for (line, removed) in text.split_inclusive('\n').zip(&removed) {
        if !removed {
            after.push_str(&restore_include(line));
        }
    }
    let last = text.lines().zip(&removed).last();
    if last.is_some_and(|(line, removed)| *removed && line.ends_with(UNENDED)) {
        after.pop();
    }
    let without = |name: &str| if name == service { Some(after.clone()) } else { read(name) };
    if after == text {
        return match before.iter().find(|rule| rule.is_factor()) {
            Some(rule) => Err(Refusal::Elsewhere(rule.place.clone())),
            None => Ok(None),
        };
    }
    // The stack of "other" is no part of this service.
    let own_alone =
        |name: &str| if name == OTHER && service != OTHER { None } else { without(name) };
    // The line of a profile may still ask.
    let left = rules(service, &own_alone).map_err(|_| Refusal::NothingLeft)?;
    if left.iter().any(asks_who) {
        return Ok(Some(after));
    }
    check_includes(&left)?;
    Err(Refusal::NothingLeft)
}

/// Refuses a stack in which a file cannot be included: what that file would ask is not known.
fn check_includes(rules: &[Rule]) -> Result<(), Refusal> {
    let failed = rules.iter().find_map(|rule| Some((&rule.place, rule.failed_include()?)));
    match failed {
        None => Ok(()),
        Some((place, reason)) => Err(Refusal::Unreadable(format!("{place}: {reason}"))),
    }
}

/// Reports whether a line may ask a user for a proof.
fn asks_who(rule: &Rule) -> bool {
    matches!(rule.kind, RuleKind::Module { .. })
        && !["pam_deny", "pam_rootok"].contains(&rule.module())
        && proves_identity(rule)
}

fn rules(service: &str, read: &dyn Fn(&str) -> Option<String>) -> Result<Vec<Rule>, Refusal> {
    match Stack::parse(service, Kind::Auth, read) {
        Stack::Rules(rules) if !rules.is_empty() => Ok(rules),
        Stack::Ambiguous(place, reason) => Err(Refusal::Ambiguous(place, reason)),
        Stack::Unreadable(reason) => Err(Refusal::Unreadable(reason)),
        _ => Err(Refusal::NoStack),
    }
}

fn is_safe(found: &Analysis) -> bool {
    !found.factor_lines.is_empty()
        && found.can_succeed
        && found.bypasses.is_empty()
        && !found.too_long
}

/// Refuses a stack that asks for a code after a wrong password.
fn check_wrong_password(found: &Analysis) -> Result<(), Refusal> {
    match found.after_wrong_password.as_slice() {
        [] => Ok(()),
        lines => Err(Refusal::AfterWrongPassword(lines.to_vec())),
    }
}

/// Refuses the option `enroll` for a program that never calls `pam_setcred`.
fn check_enroll(service: &str, enrolls: bool) -> Result<(), Refusal> {
    match never_sets_credentials(service).filter(|_| enrolls) {
        None => Ok(()),
        Some(reason) => Err(Refusal::NeverSetsCredentials(reason)),
    }
}

/// Reports whether a line of the second factor has this option.
fn has_option(rules: &[Rule], option: &str) -> bool {
    rules.iter().filter(|rule| rule.is_factor()).any(|rule| match &rule.kind {
        RuleKind::Module { args, .. } => args.iter().any(|arg| arg == option),
        _ => false,
    })
}

fn is_insertion_point(line: &Line) -> bool {
    match &line.directive {
        Directive::IncludeAll(_) => true,
        Directive::Include { kind, .. } | Directive::Module { kind, .. } => *kind == Kind::Auth,
        Directive::Malformed { .. } => false,
    }
}

fn is_after_the_password(rules: &[Rule]) -> bool {
    let factor = rules.iter().position(|rule| rule.is_factor());
    let password = rules.iter().rposition(is_password);
    password.is_none_or(|password| factor.is_some_and(|factor| password < factor))
}

/// Returns a line before the second factor that jumps past it. With another number of lines it
/// would jump elsewhere.
fn jump_over_factor(rules: &[Rule]) -> Option<Place> {
    let factor = rules.iter().position(|rule| rule.is_factor())?;
    rules.iter().take(factor).enumerate().find_map(|(at, rule)| {
        let jumps = |code: &ReturnCode| matches!(rule.control.action(*code), Action::Jump(_));
        let jumps_past = ReturnCode::all().filter(jumps).any(|code| {
            let mut progress = Progress::new();
            progress.at = at;
            progress.advance(rules, code);
            progress.at > factor
        });
        jumps_past.then(|| rule.place.clone())
    })
}

/// The number of candidates that are explored at most.
const MAX_CANDIDATES: usize = 16;
