//! Modules whose files are missing.

use pam_stack::{Rule, RuleKind, analyze};

use crate::findings::finding::{Finding, FindingId};
use crate::pam::files::locate;

/// Returns the problem if nobody can pass a stack because the file of a module is missing. A stack
/// that denies everybody with all of its modules is closed on purpose. `exists` reports whether a
/// module is installed.
pub(super) fn finding(rules: &[Rule], exists: &dyn Fn(&str) -> bool) -> Option<Finding> {
    let (rule, path) = culprit(rules, exists)?;
    let message = format!("{path} is not installed, so no path through the stack accepts anybody");
    let finding = Finding::new(FindingId::NobodyCanLogIn, message).at(locate(&rule.place));
    Some(finding.fix(advice(path, exists, "install it, or write another module here")))
}

/// Returns what to do about a module that is missing: `otherwise`, unless it is misspelled.
pub(super) fn advice(path: &str, exists: &dyn Fn(&str) -> bool, otherwise: &str) -> String {
    match spelling(path, exists) {
        Some(name) => format!("write {name}"),
        None => otherwise.to_owned(),
    }
}

/// Returns the module that stands in the way, and is not that of the second factor, which has a
/// finding of its own.
fn culprit<'a>(rules: &'a [Rule], exists: &dyn Fn(&str) -> bool) -> Option<(&'a Rule, &'a str)> {
    let accepts = |exists: &dyn Fn(&str) -> bool| {
        let analysis = analyze(rules, exists);
        analysis.can_succeed || analysis.too_long
    };
    if accepts(exists) || !accepts(&|_| true) {
        return None;
    }
    let missing = rules.iter().filter_map(|rule| match &rule.kind {
        RuleKind::Module { path, .. } if !exists(path) => Some((rule, path.as_str())),
        _ => None,
    });
    let missing: Vec<_> = missing.collect();
    let is_enough =
        |(_, path): &&(&Rule, &str)| accepts(&|other: &str| exists(other) || other == *path);
    let found = missing.iter().find(is_enough).or(missing.first()).copied();
    found.filter(|(rule, _)| !rule.is_factor())
}

/// Returns an installed module whose name is like that of `path`: with `.so`, or with `_` for `-`.
fn spelling(path: &str, exists: &dyn Fn(&str) -> bool) -> Option<String> {
    let (folder, name) = path.rfind('/').map_or(("", path), |slash| path.split_at(slash + 1));
    let name = name.strip_suffix(".so").unwrap_or(name);
    let spelled = format!("{folder}{}.so", name.replace('-', "_"));
    (spelled != path && exists(&spelled)).then_some(spelled)
}

#[cfg(test)]
mod tests {
    use pam_stack::Stack;
    use pam_stack::parse::Kind;

    use super::*;

    fn told(text: &str) -> Option<String> {
        let read = |name: &str| (name == "x").then(|| text.to_owned());
        let Stack::Rules(rules) = Stack::parse("x", Kind::Auth, &read) else { panic!("{text}") };
        let exists = |path: &str| ["pam_totp.so", "pam_unix.so", "pam_deny.so"].contains(&path);
        finding(&rules, &exists).map(|finding| finding.line())
    }

    #[test]
    fn a_missing_module_that_shuts_everybody_out_is_named() {
        let missing = "is not installed, so no path through the stack accepts anybody";
        for (text, expected) in [
            (
                "auth required pam-totp.so\n",
                format!(
                    "/etc/pam.d/x:1: pam-totp.so {missing}; write pam_totp.so [nobody-can-log-in]"
                ),
            ),
            (
                "auth required pam_unix.so\nauth required pam_nix.so\nauth required pam_totp.so\n",
                format!(
                    "/etc/pam.d/x:2: pam_nix.so {missing}; install it, or write another module here \
                     [nobody-can-log-in]"
                ),
            ),
            // The second one is not needed.
            (
                "auth requisite pam_ldap.so\nauth optional pam_other.so\n",
                format!(
                    "/etc/pam.d/x:1: pam_ldap.so {missing}; install it, or write another module here \
                     [nobody-can-log-in]"
                ),
            ),
        ] {
            assert_eq!(told(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn a_stack_that_is_closed_on_purpose_or_open_is_no_fault() {
        for text in [
            "auth required pam_deny.so\n",
            "auth required pam_warn.so\nauth required pam_deny.so\n",
            "auth required pam_missing.so\nauth required pam_deny.so\n",
            "auth required pam_unix.so\nauth optional pam_missing.so\n",
            "auth sufficient pam_missing.so\nauth required pam_unix.so\n",
            "auth required pam_unix.so\nauth required pam_totp.so\n",
            // It has a finding of its own.
            "auth required /no/such/pam_totp.so\n",
        ] {
            assert_eq!(told(text), None, "{text}");
        }
    }

    #[test]
    fn a_misspelled_module_is_told_with_its_name() {
        let exists = |path: &str| ["pam_totp.so", "/lib/security/pam_totp.so"].contains(&path);
        for (path, expected) in [
            ("pam_totp", "write pam_totp.so"),
            ("pam-totp.so", "write pam_totp.so"),
            ("/lib/security/pam-totp", "write /lib/security/pam_totp.so"),
            ("pam_totp.so", "install it"),
            ("pam_other", "install it"),
        ] {
            assert_eq!(advice(path, &exists, "install it"), expected, "{path}");
        }
    }
}
