//! The PAM stack of sshd, as far as its methods depend on it.

use std::path::Path;

use pam_stack::parse::Kind;
use pam_stack::password::is_password;
use pam_stack::{
    Analysis, Guard, Rule, RuleKind, Stack, analyze, guard, is_code_alone, is_guard,
    takes_one_answer,
};

use crate::host::door::CodeNeed;
use crate::host::stack_code;
use crate::pam::files::is_installed;
use crate::pam::unenrolled_users::has_option;

/// The facts about a stack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PamStack {
    /// Whether it has a line that asks for a code.
    pub(crate) asks: bool,
    /// What it comes to for somebody who can answer each prompt.
    pub(crate) code: CodeNeed,
    /// Whether one answer passes it, password and code in one or a code alone. The method password
    /// has only one.
    pub(crate) takes_one_answer: bool,
    /// Whether nothing but a code is needed.
    pub(crate) is_code_alone: bool,
    /// Whether a known module checks a password.
    pub(crate) has_password: bool,
    /// Whether it denies everybody who has no password in the files of this host.
    pub(crate) needs_local_password: bool,
    /// Who passes without a code, as phrases.
    pub(crate) exceptions: Vec<String>,
    /// If a guard refuses everybody who gave no code: who passes it all the same, as phrases.
    pub(crate) guard: Option<Vec<String>>,
}

/// Reads the stack of a service. `read` returns the files of PAM.
pub(crate) fn facts(service: &str, read: &dyn Fn(&str) -> Option<String>) -> PamStack {
    let guard = stack_code::rules(Stack::parse(service, Kind::Account, read))
        .ok()
        .and_then(|rules| guard_exceptions(&rules));
    match stack_code::rules(Stack::parse(service, Kind::Auth, read)) {
        Ok(rules) => of_rules(&rules, guard, &is_installed),
        Err(code) => PamStack {
            asks: false,
            code,
            takes_one_answer: false,
            is_code_alone: false,
            has_password: false,
            needs_local_password: false,
            exceptions: Vec::new(),
            guard,
        },
    }
}

/// Returns who passes the guard without a code, if there is a guard that holds.
fn guard_exceptions(account: &[Rule]) -> Option<Vec<String>> {
    let Guard::Holds(_) = guard(account) else { return None };
    let is_skipped = account.iter().filter(|rule| is_guard(rule)).all(|rule| match &rule.kind {
        RuleKind::Module { args, .. } => args.iter().any(|arg| arg == "nullok"),
        _ => false,
    });
    Some(is_skipped.then(|| "users without a factor (nullok)".to_owned()).into_iter().collect())
}

fn of_rules(rules: &[Rule], guard: Option<Vec<String>>, exists: &dyn Fn(&str) -> bool) -> PamStack {
    let analysis = &analyze(rules, exists);
    let code = match &analysis.skips_root {
        // sshd runs as root for everybody, and that is what pam_rootok looks at.
        Some(_) => CodeNeed::NotAsked,
        None => stack_code::code(rules, analysis, exists),
    };
    // The method password answers no prompt that shows what is typed.
    let is_shown = has_option(rules, "echo");
    PamStack {
        asks: !analysis.factor_lines.is_empty(),
        code,
        takes_one_answer: !is_shown && takes_one_answer(rules),
        is_code_alone: is_code_alone(rules)
            || (analysis.code_alone.is_some()
                && analysis.bypasses.is_empty()
                && analysis.skips_root.is_none()),
        has_password: rules.iter().any(is_password),
        needs_local_password: needs_local_password(rules, analysis, exists),
        exceptions: match guard {
            Some(_) => stack_code::unenrolled_exception(rules, analysis).into_iter().collect(),
            None => stack_code::exceptions(rules, analysis),
        },
        guard,
    }
}

/// Reports whether a stack that lets users in lets nobody in once `pam_unix` always fails. Without
/// a configuration of sssd, `pam_sss` knows no user either.
fn needs_local_password(
    rules: &[Rule],
    analysis: &Analysis,
    exists: &dyn Fn(&str) -> bool,
) -> bool {
    let has_module = |name: &str| rules.iter().any(|rule| rule.module() == name);
    if !analysis.can_succeed || !has_module("pam_unix") {
        return false;
    }
    let accepts = |path: &str| {
        let is_module = |name: &str| path.trim_end_matches(".so").ends_with(name);
        exists(path) && !is_module("pam_unix") && (!is_module("pam_sss") || sssd_is_configured())
    };
    !analyze(rules, &accepts).can_succeed
}

fn sssd_is_configured() -> bool {
    let drop_ins = glob::glob("/etc/sssd/conf.d/*.conf").into_iter().flatten();
    Path::new("/etc/sssd/sssd.conf").exists() || drop_ins.flatten().next().is_some()
}

/// Returns the facts about a stack whose modules are all installed.
#[cfg(test)]
pub(crate) fn of_text(text: &str) -> PamStack {
    let read = |name: &str| (name == "sshd").then(|| text.to_owned());
    let rules = |kind| match Stack::parse("sshd", kind, &read) {
        Stack::Rules(rules) => rules,
        _ => panic!("{text}"),
    };
    let guard = guard_exceptions(&rules(Kind::Account));
    of_rules(&rules(Kind::Auth), guard, &|_| true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_of_usual_stacks() {
        let password = "auth requisite pam_unix.so\n";
        let code = "auth required pam_totp.so";
        for (text, asks, one_answer, alone, open, exceptions) in [
            (password.to_owned(), false, false, false, false, 0),
            (format!("{password}{code}\n"), true, false, false, false, 0),
            (format!("{code}\n"), true, true, true, false, 0),
            (format!("{code} echo\n"), true, false, true, false, 0),
            // The password is asked of users without a factor.
            (
                format!(
                    "auth [success=done ignore=ignore default=die] pam_totp.so nullok\n{password}"
                ),
                true,
                false,
                true,
                false,
                1,
            ),
            (format!("auth required pam_nologin.so\n{code}\n"), true, true, true, false, 0),
            (format!("{code} forward_pass\n{password}"), true, true, false, false, 0),
            (format!("{password}{code} forward_pass\n"), true, false, false, false, 0),
            (format!("auth required pam_yubico.so\n{code}\n"), true, false, false, false, 0),
            (format!("{password}{code} nullok\n"), true, false, false, false, 1),
            (format!("auth sufficient pam_unix.so\n{code}\n"), true, false, false, true, 0),
            (format!("auth sufficient pam_access.so\n{code}\n"), true, true, true, false, 1),
            // pam_rootok asks nothing, and proves something.
            (format!("auth sufficient pam_rootok.so\n{code}\n"), true, true, false, true, 0),
            (format!("{password}auth optional pam_totp.so\n"), true, false, false, true, 0),
        ] {
            let facts = of_text(&text);
            let is_open = facts.asks && facts.code == CodeNeed::NotAsked;
            let found = (facts.asks, facts.takes_one_answer, facts.is_code_alone, is_open);
            assert_eq!(found, (asks, one_answer, alone, open), "{text}");
            // What is open has exceptions that no door shows.
            let shown = if is_open { 0 } else { facts.exceptions.len() };
            assert_eq!(shown, exceptions, "{text} {facts:?}");
            assert!(matches!(facts.code, CodeNeed::Asked | CodeNeed::NotAsked), "{text} {facts:?}");
        }
    }

    #[test]
    fn a_password_of_this_host_may_be_needed() {
        let debian = "auth [success=1 default=ignore] pam_unix.so nullok\n\
                      auth requisite pam_deny.so\nauth required pam_permit.so\n";
        let code = "auth required pam_totp.so\n";
        for (text, expected) in [
            (debian.to_owned(), true),
            (format!("{debian}{code}"), true),
            (format!("auth requisite pam_unix.so\n{code}"), true),
            (format!("auth required pam_nologin.so\n{code}"), false),
            // Another module may accept such a user.
            (format!("auth sufficient pam_unix.so\nauth requisite pam_ldap.so\n{code}"), false),
            (format!("auth optional pam_unix.so\n{code}"), false),
            ("auth required pam_deny.so\nauth required pam_unix.so\n".to_owned(), false),
        ] {
            assert_eq!(of_text(&text).needs_local_password, expected, "{text}");
        }
    }

    #[test]
    fn sshd_has_the_verdict_of_doctor() {
        let ours = "auth required pam_totp.so";
        let closed = CodeNeed::Closed("its stack denies everybody".into());
        let unknown = |reason: &str| CodeNeed::Unknown(format!("its stack {reason}"));
        for (text, code) in [
            (format!("{ours}\nauth required pam_deny.so\n"), closed.clone()),
            (format!("{ours} nulok\n"), closed),
            (format!("{ours}\n").repeat(401), unknown("is too long to check")),
            (format!("{ours}\n@include sshd\n"), unknown("includes itself")),
            // Only sshd is root for everybody.
            (format!("auth sufficient pam_rootok.so\n{ours} nulok\n"), CodeNeed::NotAsked),
        ] {
            let read = |name: &str| (name == "sshd").then(|| text.clone());
            let found = match stack_code::rules(Stack::parse("sshd", Kind::Auth, &read)) {
                Ok(_) => of_text(&text),
                Err(_) => facts("sshd", &read),
            };
            assert_eq!(found.code, code, "{text}");
        }
        let enrolls = of_text("auth required pam_unix.so\nauth required pam_totp.so enroll\n");
        assert_eq!(enrolls.exceptions, ["users without a factor, who create one (enroll)"]);
    }
}
