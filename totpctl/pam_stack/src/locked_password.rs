//! Accounts whose password never matches.

use std::collections::HashSet;

use crate::dispatch::Progress;
use crate::explore::MAX_RULES;
use crate::module_results::results;
use crate::return_code::ReturnCode;
use crate::stack::Rule;

/// Reports whether a stack can accept a user whose password in `/etc/shadow` never matches.
/// `exists` reports whether a module is installed.
#[must_use]
pub fn admits_without_password(
    rules: &[Rule],
    exists: &dyn Fn(&str) -> bool,
    is_root: bool,
) -> bool {
    if rules.len() > MAX_RULES {
        return true;
    }
    let mut seen = HashSet::new();
    let mut open = vec![Progress::new()];
    while let Some(mut progress) = open.pop() {
        if !seen.insert(progress.clone()) {
            continue;
        }
        let Some(rule) = progress.next(rules) else {
            if progress.outcome() == ReturnCode::SUCCESS {
                return true;
            }
            continue;
        };
        let results = match rule.module() {
            "pam_unix" => vec![ReturnCode::AUTH_ERR],
            _ => results(rule, exists, is_root),
        };
        for result in results {
            let mut next = progress.clone();
            next.advance(rules, result);
            open.push(next);
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::Kind;
    use crate::stack::Stack;

    #[test]
    fn a_locked_password_is_a_way_in_only_beside_another_proof() {
        let unix = "auth [success=1 default=ignore] pam_unix.so nullok\n";
        let end = "auth requisite pam_deny.so\nauth required pam_permit.so\n\
                   auth required pam_totp.so\n";
        for (text, user, root) in [
            (format!("{unix}{end}"), false, false),
            (format!("auth sufficient pam_rootok.so\n{unix}{end}"), false, true),
            (format!("auth [success=2 default=ignore] pam_sss.so\n{unix}{end}"), true, true),
            (format!("auth sufficient pam_fprintd.so\n{unix}{end}"), true, true),
            ("auth required pam_totp.so\n".to_owned(), true, true),
        ] {
            let read = |name: &str| (name == "x").then(|| text.clone());
            let Stack::Rules(rules) = Stack::parse("x", Kind::Auth, &read) else { panic!() };
            for (is_root, expected) in [(false, user), (true, root)] {
                let found = admits_without_password(&rules, &|_| true, is_root);
                assert_eq!(found, expected, "{text} {is_root}");
            }
        }
    }
}
