//! The answer that a line of the second factor finds, if it does not ask first: with
//! `use_first_pass` or `try_first_pass` it takes that answer for a code.

use std::collections::{BTreeMap, HashSet};

use crate::dispatch::Progress;
use crate::explore::MAX_RULES;
use crate::module_results::results;
use crate::password::is_password;
use crate::return_code::ReturnCode;
use crate::silent_modules::is_silent;
use crate::stack::{Place, Rule, RuleKind};

/// A line of the second factor that takes a password for a code.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PasswordAsCode {
    /// The line.
    pub place: Place,
    /// True if the line asks for a code afterwards (`try_first_pass`).
    pub asks: bool,
}

/// Returns the lines of the second factor whose answer in hand is the accepted password on every
/// path of a login that succeeds so far. `exists` reports whether a module is installed.
#[must_use]
pub fn passwords_as_codes(rules: &[Rule], exists: &dyn Fn(&str) -> bool) -> Vec<PasswordAsCode> {
    if rules.len() > MAX_RULES {
        return Vec::new();
    }
    let mut seen = HashSet::new();
    let mut open = vec![(Progress::new(), Answer::None)];
    let mut found: BTreeMap<usize, Found> = BTreeMap::new();
    while let Some((mut progress, answer)) = open.pop() {
        let Some(rule) = progress.next(rules) else { continue };
        if progress.has_failed() || !seen.insert((progress.clone(), answer)) {
            continue;
        }
        if rule.is_factor() {
            let found = found.entry(progress.at).or_default();
            found.password |= answer == Answer::Password;
            found.other |= answer == Answer::Other;
        }
        for result in results(rule, exists, false) {
            let mut next = progress.clone();
            next.advance(rules, result);
            open.push((next, after(rule, result, answer)));
        }
    }
    let lines = found.into_iter().filter(|(_, found)| found.password && !found.other);
    lines
        .filter_map(|(at, _)| {
            let rule = rules.get(at)?;
            Some(PasswordAsCode { place: rule.place.clone(), asks: asks_after_first_pass(rule)? })
        })
        .collect()
}

/// The answers in hand at a line, over all paths.
#[derive(Default)]
struct Found {
    password: bool,
    other: bool,
}

/// What the modules so far left in hand.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
enum Answer {
    /// Nothing.
    None,
    /// An answer that may have a code.
    Other,
    /// A password that a module accepted.
    Password,
}

/// Returns the answer in hand after a module returned `result`.
fn after(rule: &Rule, result: ReturnCode, before: Answer) -> Answer {
    let accepts = [ReturnCode::SUCCESS, ReturnCode::NEW_AUTHTOK_REQD].contains(&result);
    match is_password(rule) {
        true if accepts => Answer::Password,
        // It left the user to others: what it read is no code, or it read nothing.
        true if result == ReturnCode::IGNORE => before,
        true => Answer::Other,
        false if rule.is_factor() && !has(rule, "forward_pass") => before,
        false if is_silent(rule) || READS_PASSWORD.contains(&rule.module()) => before,
        false if matches!(result, ReturnCode::MODULE_UNKNOWN | ReturnCode::OPEN_ERR) => before,
        false => Answer::Other,
    }
}

/// Returns whether a line asks after a wrong first answer; nothing if it does not take that answer.
/// The last of several options counts.
fn asks_after_first_pass(rule: &Rule) -> Option<bool> {
    let RuleKind::Module { args, .. } = &rule.kind else { return None };
    args.iter().rev().find_map(|arg| match arg.as_str() {
        "try_first_pass" => Some(true),
        "use_first_pass" => Some(false),
        _ => None,
    })
}

fn has(rule: &Rule, option: &str) -> bool {
    matches!(&rule.kind, RuleKind::Module { args, .. } if args.iter().any(|arg| arg == option))
}

/// Modules that only use the password in hand, for a key ring or a file system, and leave it.
const READS_PASSWORD: [&str; 8] = [
    "pam_ecryptfs",
    "pam_exec",
    "pam_fscrypt",
    "pam_gnome_keyring",
    "pam_kwallet",
    "pam_kwallet5",
    "pam_mount",
    "pam_zfs_key",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Stack;
    use crate::parse::Kind;

    #[test]
    fn a_password_taken_for_a_code_is_found() {
        let debian = "auth [success=2 default=ignore] pam_unix.so\n\
                      auth [success=1 default=ignore] pam_sss.so\n\
                      auth requisite pam_deny.so\nauth required pam_permit.so\n";
        for (before, options, expected) in [
            ("auth requisite pam_unix.so\n", "use_first_pass", Some(false)),
            ("auth required pam_unix.so\n", "use_first_pass", Some(false)),
            (debian, "use_first_pass", Some(false)),
            (debian, "try_first_pass", Some(true)),
            (debian, "forward_pass use_first_pass", Some(false)),
            (debian, "enroll use_first_pass", Some(false)),
            (debian, "use_first_pass try_first_pass", Some(true)),
            (debian, "", None),
            // A directory that leaves a user to others.
            ("auth requisite pam_ldap.so\n", "use_first_pass", Some(false)),
            (
                "auth requisite pam_unix.so\nauth optional pam_cap.so\n",
                "try_first_pass",
                Some(true),
            ),
            (
                "auth requisite pam_unix.so\nauth optional pam_gnome_keyring.so\n",
                "use_first_pass",
                Some(false),
            ),
            // The answer may be a code: a wrong password, or a module that asks for one.
            ("auth optional pam_unix.so\n", "use_first_pass", None),
            ("auth [success=1 default=ignore] pam_unix.so\n", "use_first_pass", None),
            ("auth sufficient pam_unix.so\n", "use_first_pass", None),
            ("auth required pam_vendor.so\n", "use_first_pass", None),
            ("auth requisite pam_unix.so\nauth required pam_vendor.so\n", "try_first_pass", None),
            // first_pass.rs has these.
            ("", "use_first_pass", None),
            ("auth required pam_env.so\n", "use_first_pass", None),
        ] {
            let text = format!("{before}auth required pam_totp.so {options}\n");
            let read = |name: &str| (name == "x").then(|| text.clone());
            let Stack::Rules(rules) = Stack::parse("x", Kind::Auth, &read) else {
                panic!("{text}")
            };
            let found = passwords_as_codes(&rules, &|_| true);
            let asks: Vec<_> = found.iter().map(|found| found.asks).collect();
            assert_eq!(asks, expected.into_iter().collect::<Vec<_>>(), "{text}");
            assert!(found.iter().all(|found| found.place.line == before.lines().count() + 1));
        }
    }

    #[test]
    fn a_line_before_the_password_is_not_named() {
        let text =
            "auth required pam_totp.so forward_pass\nauth required pam_unix.so use_first_pass\n";
        let read = |name: &str| (name == "x").then(|| text.to_owned());
        let Stack::Rules(rules) = Stack::parse("x", Kind::Auth, &read) else { panic!() };
        assert_eq!(passwords_as_codes(&rules, &|_| true), []);
    }
}
