//! The second factor under `session`, where the module has no function and fails, and under
//! `password`, where it only listens.

use crate::control::Action;
use crate::dispatch::run;
use crate::return_code::ReturnCode;
use crate::stack::{Place, Rule};

/// A line of the second factor where the module only fails.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Misplaced {
    /// The line.
    pub place: Place,
    /// True if its failure can fail the stack.
    pub counts: bool,
}

/// Returns the lines of the second factor in a stack under `session`.
#[must_use]
pub fn misplaced(rules: &[Rule]) -> Vec<Misplaced> {
    // A stack in which nothing else counts fails too.
    let fails = run(rules, |rule| match rule.is_factor() {
        true => ReturnCode::SERVICE_ERR,
        false => ReturnCode::SUCCESS,
    }) != ReturnCode::SUCCESS;
    let lines = rules.iter().filter(|rule| rule.is_factor());
    lines
        .map(|rule| Misplaced {
            place: rule.place.clone(),
            counts: fails
                || match rule.control.action(ReturnCode::SERVICE_ERR) {
                    Action::Ignore | Action::Jump(_) | Action::Reset => false,
                    Action::Bad | Action::Die | Action::Done | Action::Ok => true,
                },
        })
        .collect()
}

/// Returns the lines of the second factor in a stack under `password` that keep a password from
/// being changed: the module ignores each change, and the control word makes a failure of that.
#[must_use]
pub fn keeping_passwords(rules: &[Rule]) -> Vec<Place> {
    let lines = rules.iter().filter(|rule| rule.is_factor());
    let keeps = |rule: &&Rule| match rule.control.action(ReturnCode::IGNORE) {
        Action::Bad | Action::Die | Action::Jump(_) | Action::Reset => true,
        Action::Done | Action::Ignore | Action::Ok => false,
    };
    lines.filter(keeps).map(|rule| rule.place.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::Kind;
    use crate::stack::Stack;

    #[test]
    fn a_listener_keeps_no_password_unless_the_control_word_says_so() {
        for (control, keeps) in [
            ("optional", false),
            ("required", false),
            ("requisite", false),
            ("sufficient", false),
            ("[default=bad]", true),
            ("[ignore=die default=ok]", true),
            ("[success=ok default=reset]", true),
        ] {
            let text = format!("password {control} pam_totp.so\npassword required pam_unix.so\n");
            let read = |name: &str| (name == "x").then(|| text.clone());
            let Stack::Rules(rules) = Stack::parse("x", Kind::Password, &read) else { panic!() };
            assert_eq!(!keeping_passwords(&rules).is_empty(), keeps, "{control}");
        }
    }

    #[test]
    fn a_failure_counts_unless_the_control_word_ignores_it() {
        let unix = "session required pam_unix.so\n";
        let skips = "session [success=1 default=ignore] pam_succeed_if.so service in crond\n";
        for (text, expected) in [
            (format!("{unix}session required pam_totp.so\n"), Some(true)),
            (format!("{unix}session requisite pam_totp.so\n"), Some(true)),
            (format!("{unix}session [default=ok] pam_totp.so\n"), Some(true)),
            (format!("{unix}session [default=done] pam_totp.so\n"), Some(true)),
            // Some logins skip it, others do not.
            (format!("{unix}{skips}session required pam_totp.so\n"), Some(true)),
            // Nothing else accepts.
            ("session optional pam_totp.so\n".to_owned(), Some(true)),
            (format!("{unix}session optional pam_totp.so\n"), Some(false)),
            (format!("{unix}session sufficient pam_totp.so\n"), Some(false)),
            (unix.to_owned(), None),
            (format!("{unix}auth required pam_totp.so\n"), None),
        ] {
            let read = |name: &str| (name == "x").then(|| text.clone());
            let Stack::Rules(rules) = Stack::parse("x", Kind::Session, &read) else { panic!() };
            let found = misplaced(&rules);
            assert_eq!(found.first().map(|found| found.counts), expected, "{text}");
            assert!(found.len() < 2);
        }
    }
}
