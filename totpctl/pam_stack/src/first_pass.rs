//! The option `use_first_pass` of the second factor: it reads the answer to an earlier line.

use crate::silent_modules::is_silent;
use crate::stack::{Rule, RuleKind};

/// Returns the first line of the second factor that has `use_first_pass`, and before which no line
/// asks for an answer. The module then denies every code.
#[must_use]
pub fn lacks_first_pass(rules: &[Rule]) -> Option<&Rule> {
    let may_ask = |rule: &Rule| match &rule.kind {
        // It forwards what it asked for.
        RuleKind::Module { .. } if rule.is_factor() => has(rule, "forward_pass"),
        RuleKind::Module { .. } => !is_silent(rule),
        _ => false,
    };
    let before = rules.iter().position(may_ask).unwrap_or(rules.len());
    rules.iter().take(before).find(|rule| rule.is_factor() && has(rule, "use_first_pass"))
}

fn has(rule: &Rule, option: &str) -> bool {
    matches!(&rule.kind, RuleKind::Module { args, .. } if args.iter().any(|arg| arg == option))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Stack;
    use crate::parse::Kind;

    #[test]
    fn a_first_pass_that_nobody_asks_for_is_found() {
        for (text, expected) in [
            ("auth required pam_totp.so use_first_pass\n", Some(1)),
            ("auth required pam_env.so\nauth required pam_totp.so use_first_pass\n", Some(2)),
            ("auth required pam_sepermit.so\nauth required pam_totp.so use_first_pass\n", Some(2)),
            ("auth required pam_usertype.so\nauth required pam_totp.so use_first_pass\n", Some(2)),
            ("auth required pam_unix.so\nauth required pam_totp.so use_first_pass\n", None),
            ("auth required pam_unknown.so\nauth required pam_totp.so use_first_pass\n", None),
            ("auth required pam_totp.so use_first_pass\nauth required pam_unix.so\n", Some(1)),
            (
                "auth required pam_totp.so forward_pass\nauth required pam_totp.so use_first_pass\n",
                None,
            ),
            ("auth required pam_totp.so\nauth required pam_totp.so use_first_pass\n", Some(2)),
            ("auth required pam_totp.so try_first_pass\n", None),
            ("auth required pam_unix.so\n", None),
        ] {
            let read = |name: &str| (name == "x").then(|| text.to_owned());
            let Stack::Rules(rules) = Stack::parse("x", Kind::Auth, &read) else {
                panic!("{text}")
            };
            assert_eq!(lacks_first_pass(&rules).map(|rule| rule.place.line), expected, "{text}");
        }
    }
}
