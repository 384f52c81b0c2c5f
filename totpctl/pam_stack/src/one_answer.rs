//! Programs with one prompt: whether one answer, with the code in it, can pass a stack.

use crate::password::is_password;
use crate::proving_modules::proves_identity;
use crate::silent_modules::is_silent;
use crate::stack::{Rule, RuleKind};

/// Reports whether one answer has all that a stack asks for: a code alone, or password and code as
/// one word.
#[must_use]
pub fn takes_one_answer(rules: &[Rule]) -> bool {
    // A password module takes the answer as a whole, so only a line before it can cut the code off.
    // Behind it try_first_pass and use_first_pass find the password, which is no code.
    let first = rules.iter().find(|rule| is_factor(rule) || is_password(rule));
    let is_first = first.is_some_and(is_factor);
    let mut factors = rules.iter().filter(|rule| is_factor(rule));
    asks_only(rules, &is_silent) || (is_first && factors.all(forwards))
}

/// Reports whether a stack asks for a password and for a code, and one answer cannot have both.
#[must_use]
pub fn needs_two_answers(rules: &[Rule]) -> bool {
    rules.iter().any(is_factor) && rules.iter().any(is_password) && !takes_one_answer(rules)
}

/// Reports whether a code is all that a stack asks for, and that proves who the user is.
#[must_use]
pub fn is_code_alone(rules: &[Rule]) -> bool {
    asks_only(rules, &|rule| is_silent(rule) && !proves_identity(rule))
}

/// Reports whether a stack has a line of the second factor, and all others are of this kind.
fn asks_only(rules: &[Rule], is_other: &dyn Fn(&Rule) -> bool) -> bool {
    let is_left_out =
        |rule: &Rule| matches!(rule.kind, RuleKind::Substack) || is_factor(rule) || is_other(rule);
    rules.iter().any(is_factor) && rules.iter().all(is_left_out)
}

fn is_factor(rule: &Rule) -> bool {
    rule.is_factor()
}

/// Reports whether a line hands on the password before the code.
fn forwards(rule: &Rule) -> bool {
    matches!(&rule.kind, RuleKind::Module { args, .. } if args.iter().any(|arg| arg == "forward_pass"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::Kind;
    use crate::stack::Stack;

    #[test]
    fn one_answer_passes_only_if_the_code_is_cut_off_first() {
        let (password, code) = ("auth required pam_unix.so", "auth required pam_totp.so");
        for (lines, one_answer, alone) in [
            (format!("{password}\n"), false, false),
            (format!("{code}\n"), true, true),
            (format!("auth required pam_nologin.so\n{code}\n"), true, true),
            (format!("auth required pam_limits.so\n{code}\n"), true, true),
            (format!("auth required pam_usertype.so\n{code}\n"), true, true),
            // They ask nothing, and prove something.
            (format!("auth required pam_fprintd.so\n{code}\n"), true, false),
            (format!("auth sufficient pam_rootok.so\n{code}\n"), true, false),
            (format!("auth required pam_yubico.so\n{code}\n"), false, false),
            (format!("{code} forward_pass\n{password} use_first_pass\n"), true, false),
            (format!("{code} forward_pass\n{password}\n"), true, false),
            (format!("{code}\n{password} use_first_pass\n"), false, false),
            (format!("{code} try_first_pass\n{password}\n"), false, false),
            (format!("{password}\n{code}\n"), false, false),
            (format!("{password}\n{code} forward_pass\n"), false, false),
            (format!("{password}\n{code} try_first_pass\n"), false, false),
            (format!("{password}\n{code} use_first_pass\n"), false, false),
            (format!("{password}\n{code} forward_pass use_first_pass\n"), false, false),
            (format!("{code} forward_pass\n{password}\n{code}\n"), false, false),
        ] {
            let read = |name: &str| (name == "x").then(|| lines.clone());
            let Stack::Rules(rules) = Stack::parse("x", Kind::Auth, &read) else { panic!() };
            let found = (takes_one_answer(&rules), is_code_alone(&rules));
            assert_eq!(found, (one_answer, alone), "{lines}");
        }
    }
}
