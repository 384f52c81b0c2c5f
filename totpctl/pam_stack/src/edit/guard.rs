//! Adds the guard to a stack under `account`, before all other lines.

use super::lines::{before, is_factor_line, line, own_lines};
use super::refusal::Refusal;
use crate::factor::FACTOR_FILE;
use crate::guard::{GUARD, Guard, guard};
use crate::parse::{Directive, Kind, Line};
use crate::stack::{OTHER, Place, Rule, Stack};

/// Returns the file of `service` with a guard that has the options `args`. A guard that is there
/// gets these options. If the file is so already, it returns nothing. [`Stack::parse`] describes
/// `read`.
///
/// # Errors
/// [`Refusal`] if there is no safe change.
pub fn add_guard(
    service: &str,
    args: &[String],
    read: &dyn Fn(&str) -> Option<String>,
) -> Result<Option<String>, Refusal> {
    let (text, own) = own_lines(service, read)?;
    let args = &[&[GUARD.to_owned()][..], args].concat();
    let new_line = line("account", "required", FACTOR_FILE, args);
    let changed = match guard(&rules(service, read)?) {
        Guard::Alone(_) | Guard::PassedBy(_) => return Err(Refusal::Broken),
        Guard::Holds(Place { file, .. }) if file != service => return Ok(None),
        Guard::Holds(place) => {
            let old = own.iter().find(|line| line.number == place.line);
            let old = old.ok_or(Refusal::Broken)?;
            match &old.directive {
                Directive::Module { args: same, .. } if same == args => return Ok(None),
                _ => replaced(&text, old, &new_line),
            }
        }
        Guard::Absent => {
            let gives_rules = |line: &&Line| match &line.directive {
                Directive::Include { kind, .. } | Directive::Module { kind, .. } => {
                    *kind == Kind::Account && !is_factor_line(&line.directive)
                }
                Directive::IncludeAll(file) => {
                    let own = Stack::parse(file, Kind::Account, &without_other(read));
                    !matches!(own, Stack::Rules(rules) if rules.is_empty())
                }
                Directive::Malformed { .. } => false,
            };
            let place = own.iter().find(gives_rules).ok_or(Refusal::NothingAccepts)?;
            before(&text, place, &new_line)
        }
    };
    let with = |name: &str| if name == service { Some(changed.clone()) } else { read(name) };
    match guard(&rules(service, &with)?) {
        Guard::Holds(_) => Ok(Some(changed)),
        Guard::Alone(_) => Err(Refusal::NothingAccepts),
        Guard::Absent | Guard::PassedBy(_) => Err(Refusal::PassedBy),
    }
}

/// Returns the own rules of a service under `account`.
fn rules(service: &str, read: &dyn Fn(&str) -> Option<String>) -> Result<Vec<Rule>, Refusal> {
    match Stack::parse(service, Kind::Account, &without_other(read)) {
        Stack::Rules(rules) => match rules.iter().find_map(Rule::failed_include) {
            Some(reason) => Err(Refusal::Unreadable(reason.to_owned())),
            None => Ok(rules),
        },
        Stack::Ambiguous(place, reason) => Err(Refusal::Ambiguous(place, reason)),
        Stack::Unreadable(reason) => Err(Refusal::Unreadable(reason)),
        _ => Err(Refusal::NoStack),
    }
}

/// A guard alone would take the place of the rules of "other".
fn without_other(read: &dyn Fn(&str) -> Option<String>) -> impl Fn(&str) -> Option<String> {
    move |name| if name == OTHER { None } else { read(name) }
}

fn replaced(text: &str, old: &Line, new_line: &str) -> String {
    let mut changed = String::with_capacity(text.len());
    for (index, line) in text.split_inclusive('\n').enumerate() {
        if index + 1 == old.number {
            changed.push_str(new_line);
        }
        if !(old.number..=old.last).contains(&(index + 1)) {
            changed.push_str(line);
        }
    }
    changed
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edit::disable;

    const COMMON: &str = "account [success=1 default=ignore] pam_unix.so\naccount requisite pam_deny.so\n\
                          account required pam_permit.so\n";

    fn with_guard(text: &str, args: &[&str]) -> Result<Option<String>, Refusal> {
        let read = |name: &str| match name {
            "x" => Some(text.to_owned()),
            "common-auth" => Some("auth required pam_unix.so\n".to_owned()),
            "common-account" => Some(COMMON.to_owned()),
            "other" => Some("account required pam_permit.so\n".to_owned()),
            _ => None,
        };
        let args: Vec<_> = args.iter().map(|arg| (*arg).to_owned()).collect();
        add_guard("x", &args, &read)
    }

    #[test]
    fn the_guard_stands_before_all_other_lines_and_can_be_removed() {
        let head = "# comment\n@include common-auth\nauth required pam_totp.so\n";
        for (account, args) in [
            ("account required pam_nologin.so\n@include common-account\n", &[][..]),
            ("@include common-account\nsession required pam_unix.so\n", &["nullok"]),
            ("account sufficient pam_localuser.so\naccount required pam_permit.so", &[]),
            ("account include common-account\n", &["timeout=7"]),
        ] {
            let before = format!("{head}{account}");
            let after = with_guard(&before, args).unwrap().unwrap();
            let options = args.iter().map(|arg| format!(" {arg}")).collect::<String>();
            let line = format!("account required    pam_totp.so guard{options}\n");
            assert_eq!(after, format!("{head}{line}{account}"));
            assert_eq!(with_guard(&after, args), Ok(None), "it is there");
            let others = with_guard(&after, &["quiet"]).unwrap().unwrap();
            assert_eq!(others, after.replace(&format!("guard{options}"), "guard quiet"));
            let read = |name: &str| match name {
                "x" => Some(after.clone()),
                "common-auth" => Some("auth required pam_unix.so\n".to_owned()),
                "common-account" => Some(COMMON.to_owned()),
                _ => None,
            };
            let removed = disable("x", &read).unwrap().unwrap();
            assert_eq!(removed, before.replace("auth required pam_totp.so\n", ""));
        }
    }

    #[test]
    fn a_stack_that_the_guard_would_shut_or_not_hold_is_not_changed() {
        for (text, expected) in [
            ("@include common-auth\n", Refusal::NothingAccepts),
            ("account required pam_deny.so\n", Refusal::NothingAccepts),
            ("account [default=reset] pam_x.so\naccount required pam_unix.so\n", Refusal::PassedBy),
            ("account optional pam_totp.so guard\naccount required pam_unix.so\n", Refusal::Broken),
        ] {
            assert_eq!(with_guard(text, &[]), Err(expected), "{text}");
        }
    }
}
