//! The common changes to the stack of a service: the second factor goes behind the password, or out again.
//! No change is answered that [`look`] finds a way around, nor one that asks after a wrong password.

mod lines;
mod refusal;

#[cfg(test)]
mod tests;

use self::lines::{around, is_ours, line, taken_in_as_before, with_args};
pub use refusal::{Refusal, WITHOUT_PASSWORD};

use crate::control::Action;
use crate::dispatch::Progress;
use crate::explore::{Finding, MOST_RULES, look};
use crate::module_results::OURS;
use crate::parse::{Kind, Line, Says, lines};
use crate::password::is_password;
use crate::return_code::Code;
use crate::setcred::asks_for_no_credentials;
use crate::stack::{Place, Rule, Stack, What};

/// The file of `service` with the second factor behind the password, asking with `args`; nothing if it
/// asks so already. Without `args` a line that is there is left as it is. `read` and `exists` are as in
/// [`Stack::of`] and [`look`].
///
/// # Errors
/// [`Refusal`] says why there is no such change.
pub fn enabled(
    service: &str,
    args: Option<&[String]>,
    read: &dyn Fn(&str) -> Option<String>,
    exists: &dyn Fn(&str) -> bool,
) -> Result<Option<String>, Refusal> {
    let (text, own) = own_lines(service, read)?;
    let rules = rules(service, read)?;
    let now = look(&rules, exists);
    if let Some(place) = now.asks.first() {
        if !is_good(&now) {
            return Err(Refusal::Broken);
        }
        let elsewhere = args.is_some() && place.file != service;
        let after = |option: &str| match args {
            Some(args) if !elsewhere => args.iter().any(|arg| arg == option),
            _ => has_option(&rules, option),
        };
        may_make_factors(service, after("enroll"))?;
        if after("enroll") || after("nullok") {
            asks_after_the_password(&now)?;
        }
        let Some(args) = args else { return Ok(None) };
        if elsewhere {
            return Err(Refusal::Elsewhere(place.clone()));
        }
        let changed = with_args(&text, &own, args);
        return Ok((changed != text).then_some(changed));
    }
    may_make_factors(service, args.unwrap_or_default().iter().any(|arg| arg == "enroll"))?;
    let ours = line("required", "pam_totp.so", args.unwrap_or_default());
    if rules.len() > MOST_RULES {
        return Err(Refusal::NoPlace);
    }
    let mut places: Vec<&Line> = own.iter().filter(|line| may_stand_behind(line)).collect();
    if !rules.iter().any(is_password) {
        // Nobody knows which line asks for the password, so it is all of them.
        places.reverse();
    }
    let mut refusal = Refusal::NoPlace;
    let mut looked_at = 0;
    for changed in places.into_iter().flat_map(|place| around(&text, place, &ours)) {
        let with = |name: &str| if name == service { Some(changed.clone()) } else { read(name) };
        let Stack::Rules(rules) = Stack::of(service, Kind::Auth, &with) else { continue };
        if !is_behind_the_password(&rules) || jump_over_ours(&rules).is_some() {
            continue;
        }
        let found = look(&rules, exists);
        if is_good(&found) {
            match asks_after_the_password(&found) {
                Ok(()) => return Ok(Some(changed)),
                Err(goes_on) => refusal = goes_on,
            }
        }
        looked_at += 1;
        if looked_at == MOST_LOOKS {
            break;
        }
    }
    Err(refusal)
}

/// The file of `service` without the second factor; nothing if it asks for none.
///
/// # Errors
/// [`Refusal`] says why there is no such change.
pub fn disabled(
    service: &str,
    read: &dyn Fn(&str) -> Option<String>,
) -> Result<Option<String>, Refusal> {
    let (text, own) = own_lines(service, read)?;
    let before = rules(service, read)?;
    if let Some(place) = jump_over_ours(&before) {
        return Err(Refusal::Jumps(place));
    }
    let mut gone = vec![false; text.lines().count()];
    for line in own.iter().filter(|line| is_ours(&line.says)) {
        for index in line.number - 1..line.last {
            if let Some(gone) = gone.get_mut(index) {
                *gone = true;
            }
        }
    }
    let mut after = String::with_capacity(text.len());
    for (line, gone) in text.split_inclusive('\n').zip(&gone) {
        if !gone {
            after.push_str(&taken_in_as_before(line));
        }
    }
    let without = |name: &str| if name == service { Some(after.clone()) } else { read(name) };
    let left = rules(service, &without)?;
    match left.iter().find(|rule| rule.module() == OURS) {
        Some(rule) => Err(Refusal::Elsewhere(rule.place.clone())),
        None => Ok((after != text).then_some(after)),
    }
}

fn own_lines(
    service: &str,
    read: &dyn Fn(&str) -> Option<String>,
) -> Result<(String, Vec<Line>), Refusal> {
    let text = read(service).ok_or(Refusal::NoStack)?;
    let own = lines(&text).ok_or(Refusal::NoStack)?;
    Ok((text, own))
}

fn rules(service: &str, read: &dyn Fn(&str) -> Option<String>) -> Result<Vec<Rule>, Refusal> {
    match Stack::of(service, Kind::Auth, read) {
        Stack::Rules(rules) if !rules.is_empty() => Ok(rules),
        _ => Err(Refusal::NoStack),
    }
}

fn is_good(found: &Finding) -> bool {
    !found.asks.is_empty() && found.opens && found.around.is_empty() && !found.too_long
}

/// A code is asked for after the right password alone.
fn asks_after_the_password(found: &Finding) -> Result<(), Refusal> {
    match found.after_failed_password.as_slice() {
        [] => Ok(()),
        lines => Err(Refusal::GoesOn(lines.to_vec())),
    }
}

/// Somebody can make a factor at the login to this service, if that is wanted.
fn may_make_factors(service: &str, wanted: bool) -> Result<(), Refusal> {
    match asks_for_no_credentials(service).filter(|_| wanted) {
        None => Ok(()),
        Some(why) => Err(Refusal::NoCredentials(why)),
    }
}

/// Whether a line of the second factor has this option.
fn has_option(rules: &[Rule], option: &str) -> bool {
    rules.iter().filter(|rule| rule.module() == OURS).any(|rule| match &rule.what {
        What::Module { args, .. } => args.iter().any(|arg| arg == option),
        _ => false,
    })
}

fn may_stand_behind(line: &Line) -> bool {
    match &line.says {
        Says::All(_) => true,
        Says::Include { kind, .. } | Says::Module { kind, .. } => *kind == Kind::Auth,
        Says::Wrong { .. } => false,
    }
}

fn is_behind_the_password(rules: &[Rule]) -> bool {
    let ours = rules.iter().position(|rule| rule.module() == OURS);
    let password = rules.iter().rposition(is_password);
    password.is_none_or(|password| ours.is_some_and(|ours| password < ours))
}

/// A line before the second factor that jumps beyond it: with another number of lines it would lead
/// elsewhere.
fn jump_over_ours(rules: &[Rule]) -> Option<Place> {
    let ours = rules.iter().position(|rule| rule.module() == OURS)?;
    rules.iter().take(ours).enumerate().find_map(|(at, rule)| {
        let jumps = |code: &Code| matches!(rule.control.action(*code), Action::Jump(_));
        let beyond = Code::all().filter(jumps).any(|code| {
            let mut progress = Progress::new();
            progress.at = at;
            progress.go_on(rules, code);
            progress.at > ours
        });
        beyond.then(|| rule.place.clone())
    })
}

/// Places that are looked at, each by every way through the stack.
const MOST_LOOKS: usize = 16;
