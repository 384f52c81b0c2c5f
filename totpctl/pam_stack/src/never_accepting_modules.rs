//! The modules that no login can rest on: their answer under `auth` is never a success.

use crate::stack::{Rule, RuleKind};

/// Reports whether the module of a rule never returns success under `auth`. It returns
/// `PAM_IGNORE`, or fails. A stack of such modules alone denies everybody, because libpam counts
/// neither an ignored line nor a jump as a yes.
#[must_use]
pub fn never_accepts(rule: &Rule) -> bool {
    let has = |option: &str| match &rule.kind {
        RuleKind::Module { args, .. } => args.iter().any(|arg| arg == option),
        _ => false,
    };
    match rule.module() {
        "pam_nologin" => !has("successok"),
        module => NEVER_ACCEPT.contains(&module),
    }
}

/// From the sources of Linux-PAM; `tests/stacks/real_modules.rs` asks the modules themselves.
const NEVER_ACCEPT: [&str; 7] =
    ["pam_env", "pam_faildelay", "pam_group", "pam_issue", "pam_keyinit", "pam_mail", "pam_warn"];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::Kind;
    use crate::stack::Stack;

    #[test]
    fn modules_that_only_ignore_are_known() {
        for (line, expected) in [
            ("pam_env.so", true),
            ("/lib/security/pam_faildelay.so delay=2000000", true),
            ("pam_nologin.so", true),
            ("pam_nologin.so successok", false),
            ("pam_unix.so", false),
            ("pam_permit.so", false),
            ("pam_faillock.so preauth", false),
            ("pam_vendor.so", false),
        ] {
            let text = format!("auth required {line}\n");
            let read = |name: &str| (name == "x").then(|| text.clone());
            let Stack::Rules(rules) = Stack::parse("x", Kind::Auth, &read) else { panic!() };
            assert_eq!(never_accepts(&rules[0]), expected, "{line}");
        }
    }
}
