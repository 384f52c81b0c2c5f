//! The guard: a line of the second factor under `account` that refuses a login without a code.

use std::collections::HashSet;

use crate::control::Action;
use crate::dispatch::Progress;
use crate::explore::MAX_RULES;
use crate::return_code::ReturnCode;
use crate::stack::{Place, Rule, RuleKind};

/// The option that makes a line of the second factor a guard.
pub const GUARD: &str = "guard";

/// What a guard does in a stack under `account`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Guard {
    /// No line is a guard.
    Absent,
    /// It refuses every login that it means to refuse. This is its line.
    Holds(Place),
    /// A login can pass the stack although the guard at this line refuses it, or without that the
    /// guard is asked.
    PassedBy(Place),
    /// Nobody passes the stack, because nothing accepts besides the guard at this line.
    Alone(Place),
}

/// Returns what the guard does in the rules of a stack under `account`.
#[must_use]
pub fn guard(rules: &[Rule]) -> Guard {
    let Some(first) = rules.iter().find(|rule| is_guard(rule)) else { return Guard::Absent };
    let place = first.place.clone();
    if can_pass(rules, true) {
        Guard::PassedBy(place)
    } else if can_pass(rules, false) {
        Guard::Holds(place)
    } else {
        Guard::Alone(place)
    }
}

/// Reports whether the rule is a guard.
#[must_use]
pub fn is_guard(rule: &Rule) -> bool {
    match &rule.kind {
        RuleKind::Module { args, .. } => rule.is_factor() && args.iter().any(|arg| arg == GUARD),
        _ => false,
    }
}

/// Reports whether a login can pass the rules if the guard refuses it, or lets it by. Other modules
/// return whatever helps. A stack too long to follow counts as one that can be passed by.
fn can_pass(rules: &[Rule], refuses: bool) -> bool {
    if rules.len() > MAX_RULES {
        return refuses;
    }
    let of_guard = if refuses { &REFUSALS[..] } else { &[ReturnCode::IGNORE] };
    let mut seen = HashSet::new();
    let mut open = vec![Progress::new()];
    while let Some(mut progress) = open.pop() {
        let Some(rule) = progress.next(rules) else {
            if is_success(progress.outcome()) {
                return true;
            }
            continue;
        };
        let results = match &rule.kind {
            RuleKind::MustFail(_) | RuleKind::FailedInclude(_) => vec![ReturnCode::PERM_DENIED],
            _ if is_guard(rule) => of_guard.to_vec(),
            _ => telling_results(rule),
        };
        for result in results {
            let mut next = progress.clone();
            next.advance(rules, result);
            if seen.insert(next.clone()) {
                open.push(next);
            }
        }
    }
    false
}

/// How a guard refuses: by its judgment, without a daemon, by a fault, or because libpam cannot
/// load the module.
const REFUSALS: [ReturnCode; 5] = [
    ReturnCode::PERM_DENIED,
    ReturnCode::AUTHINFO_UNAVAIL,
    ReturnCode::SERVICE_ERR,
    ReturnCode::MODULE_UNKNOWN,
    ReturnCode::OPEN_ERR,
];

/// Returns results of a module that stand for all of them: one for each effect on the stack.
fn telling_results(rule: &Rule) -> Vec<ReturnCode> {
    let mut results: Vec<ReturnCode> = Vec::new();
    // pam_deny accepts nobody.
    let accepts = |code: &ReturnCode| !is_success(*code) || rule.module() != "pam_deny";
    for code in ReturnCode::all().filter(accepts) {
        let is_new = |other: &ReturnCode| effect(rule, *other) != effect(rule, code);
        if results.iter().all(is_new) {
            results.push(code);
        }
    }
    results
}

/// The effect of a result: what libpam does, and whether the result itself lets in.
fn effect(rule: &Rule, code: ReturnCode) -> (Action, bool) {
    (rule.control.action(code), is_success(code))
}

/// Programs let in a user who only has to change the password.
fn is_success(code: ReturnCode) -> bool {
    matches!(code, ReturnCode::SUCCESS | ReturnCode::NEW_AUTHTOK_REQD)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::Kind;
    use crate::stack::Stack;

    const DEBIAN: &str = "account [success=1 new_authtok_reqd=done default=ignore] pam_unix.so\n\
                          account requisite pam_deny.so\naccount required pam_permit.so\n";

    fn guard_of(text: &str) -> Guard {
        let read = |name: &str| (name == "x").then(|| text.to_owned());
        let Stack::Rules(rules) = Stack::parse("x", Kind::Account, &read) else { panic!("{text}") };
        guard(&rules)
    }

    #[test]
    fn a_guard_holds_where_nothing_goes_around_it() {
        let place = |line| Place { file: "x".into(), line };
        let required = "account required pam_totp.so guard\n";
        for (text, expected) in [
            (DEBIAN.to_owned(), Guard::Absent),
            (format!("account required pam_totp.so\n{DEBIAN}"), Guard::Absent),
            (format!("{required}{DEBIAN}"), Guard::Holds(place(1))),
            // A password that has to be changed ends the stack before it.
            (format!("{DEBIAN}{required}"), Guard::PassedBy(place(4))),
            (format!("account required pam_unix.so\n{required}"), Guard::Holds(place(2))),
            (
                format!("account requisite pam_totp.so guard nullok\n{DEBIAN}"),
                Guard::Holds(place(1)),
            ),
            (
                format!("account [ignore=ignore default=bad] pam_totp.so guard\n{DEBIAN}"),
                Guard::Holds(place(1)),
            ),
            // "No objection" counts as a failure.
            (format!("account [default=bad] pam_totp.so guard\n{DEBIAN}"), Guard::Alone(place(1))),
            // It is open while the daemon is down, or while libpam cannot load the module.
            (
                format!(
                    "account [authinfo_unavail=ignore default=bad ignore=ignore] pam_totp.so guard\n{DEBIAN}"
                ),
                Guard::PassedBy(place(1)),
            ),
            (
                format!(
                    "account [perm_denied=die module_unknown=ignore ignore=ignore default=bad] pam_totp.so guard\n{DEBIAN}"
                ),
                Guard::PassedBy(place(1)),
            ),
            // A result of another module ends the stack before it, or jumps over it.
            (format!("account sufficient pam_unix.so\n{required}"), Guard::PassedBy(place(2))),
            (
                format!(
                    "account [success=1 default=ignore] pam_unix.so\n{required}account required pam_permit.so\n"
                ),
                Guard::PassedBy(place(2)),
            ),
            // Its refusal does not count, or is taken back.
            (format!("account optional pam_totp.so guard\n{DEBIAN}"), Guard::PassedBy(place(1))),
            (format!("account sufficient pam_totp.so guard\n{DEBIAN}"), Guard::PassedBy(place(1))),
            (
                format!(
                    "{required}account [default=reset] pam_x.so\naccount required pam_permit.so\n"
                ),
                Guard::PassedBy(place(1)),
            ),
            // It never accepts.
            (required.to_owned(), Guard::Alone(place(1))),
            (format!("{required}account required pam_deny.so\n"), Guard::Alone(place(1))),
        ] {
            assert_eq!(guard_of(&text), expected, "{text}");
        }
    }
}
