//! Jumps past the end of a stack.

use crate::control::Action;
use crate::dispatch::Progress;
use crate::module_results::results;
use crate::return_code::ReturnCode;
use crate::stack::{Place, Rule};

/// Returns the lines whose success jumps past the end. The other results of such a line may mean to
/// deny.
pub(crate) fn jumps_past_end(rules: &[Rule], exists: &dyn Fn(&str) -> bool) -> Vec<Place> {
    let leads_past = |(at, rule): &(usize, &Rule)| {
        if !results(rule, exists, false).contains(&ReturnCode::SUCCESS)
            || !matches!(rule.control.action(ReturnCode::SUCCESS), Action::Jump(_))
        {
            return false;
        }
        let mut progress = Progress::at(rules, *at);
        progress.advance(rules, ReturnCode::SUCCESS);
        progress.has_failed()
    };
    rules.iter().enumerate().filter(leads_past).map(|(_, rule)| rule.place.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::Kind;
    use crate::stack::Stack;

    #[test]
    fn a_success_that_jumps_past_the_end_is_found() {
        let factor = "auth required pam_unix.so\nauth required pam_totp.so\n";
        for (last, lines) in [
            ("auth [success=1 default=ignore] pam_succeed_if.so user = bob\n", &[3][..]),
            (
                "auth [success=1 default=ignore] pam_succeed_if.so\nauth required pam_permit.so\n",
                &[],
            ),
            ("auth [success=ok default=9] pam_succeed_if.so\n", &[]),
            ("auth [success=2 default=ignore] pam_deny.so\n", &[]),
            ("auth [success=2 default=ignore] pam_gone.so\n", &[]),
        ] {
            let text = format!("{factor}{last}");
            let read = |name: &str| (name == "x").then(|| text.clone());
            let Stack::Rules(rules) = Stack::parse("x", Kind::Auth, &read) else { panic!() };
            let found = jumps_past_end(&rules, &|path| path != "pam_gone.so");
            let found: Vec<_> = found.iter().map(|place| place.line).collect();
            assert_eq!(found, lines, "{last}");
        }
    }
}
