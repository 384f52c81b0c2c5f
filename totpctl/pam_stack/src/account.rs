//! The second factor under `account`: it accepts every existing user, and must not replace other
//! checks.

use crate::control::Action;
use crate::guard::is_guard;
use crate::return_code::ReturnCode;
use crate::stack::{Place, Rule};

/// Returns the lines of the second factor whose success replaces the results of other lines.
#[must_use]
pub fn overrules_others(rules: &[Rule]) -> Vec<Place> {
    // A guard never accepts.
    let accepts = |rule: &Rule| rule.is_factor() && !is_guard(rule);
    let factor = rules.iter().enumerate().filter(|(_, rule)| accepts(rule));
    let overruling = factor.filter(|(at, rule)| match rule.control.action(ReturnCode::SUCCESS) {
        Action::Done | Action::Jump(_) => at + 1 < rules.len(),
        Action::Reset => *at > 0,
        Action::Bad | Action::Die | Action::Ignore | Action::Ok => false,
    });
    overruling.map(|(_, rule)| rule.place.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::Kind;
    use crate::stack::Stack;

    #[test]
    fn a_success_that_ends_the_checks_is_found() {
        for (text, lines) in [
            ("account sufficient pam_totp.so\naccount required pam_unix.so\n", &[1][..]),
            ("account [success=1 default=bad] pam_totp.so\naccount required pam_unix.so\n", &[1]),
            ("account required pam_unix.so\naccount [success=reset] pam_totp.so\n", &[2]),
            ("account required pam_totp.so\naccount required pam_unix.so\n", &[]),
            ("account required pam_unix.so\naccount sufficient pam_totp.so\n", &[]),
            ("auth sufficient pam_totp.so\naccount required pam_unix.so\n", &[]),
            ("account sufficient pam_totp.so guard\naccount required pam_unix.so\n", &[]),
        ] {
            let read = |name: &str| (name == "x").then(|| text.to_owned());
            let Stack::Rules(rules) = Stack::parse("x", Kind::Account, &read) else { panic!() };
            let found: Vec<_> = overrules_others(&rules).iter().map(|place| place.line).collect();
            assert_eq!(found, lines, "{text}");
        }
    }
}
