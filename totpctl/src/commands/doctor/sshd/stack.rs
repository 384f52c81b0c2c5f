//! The PAM stack of sshd, as far as its methods depend on it.

use pam_stack::parse::Kind;
use pam_stack::password::is_password;
use pam_stack::{Analysis, Bypass, Rule, Stack, analyze, is_code_alone, takes_one_answer};

use crate::pam::files::{display, is_installed};
use crate::pam::unenrolled::has_option;

/// The facts about a stack.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct PamStack {
    /// Whether it asks for a code.
    pub(super) asks: bool,
    /// Why nobody can pass it, if so.
    pub(super) closed: Option<String>,
    /// Whether one answer passes it, password and code in one or a code alone. The method password
    /// has only one.
    pub(super) takes_one_answer: bool,
    /// Whether nothing but a code is needed.
    pub(super) is_code_alone: bool,
    /// Whether a password is enough, or a wrong code.
    pub(super) is_open: bool,
    /// Who passes without a code, as phrases.
    pub(super) exceptions: Vec<String>,
}

/// Reads the stack of a service. `read` returns the files of PAM.
pub(super) fn facts(service: &str, read: &dyn Fn(&str) -> Option<String>) -> PamStack {
    match Stack::parse(service, Kind::Auth, read) {
        Stack::Rules(rules) => of_rules(&rules, &analyze(&rules, &is_installed)),
        Stack::Unreadable(reason) => closed(format!("libpam cannot read the stack: {reason}")),
        Stack::IncludeCycle(place) => closed(format!("{} includes itself", display(&place))),
        Stack::TooLong(place) => closed(format!("{}: the stack is too long", display(&place))),
    }
}

fn closed(reason: String) -> PamStack {
    PamStack { closed: Some(reason), ..PamStack::default() }
}

fn of_rules(rules: &[Rule], analysis: &Analysis) -> PamStack {
    let asks = !analysis.factor_lines.is_empty();
    // The method password answers no prompt that shows what is typed.
    let is_shown = has_option(rules, "echo");
    let is_password_line =
        |line: &pam_stack::Place| rules.iter().any(|rule| rule.place == *line && is_password(rule));
    let mut exceptions = Vec::new();
    exceptions
        .extend(analysis.skips_unenrolled.then(|| "users without a factor (nullok)".to_owned()));
    // sshd runs as root for everybody, and that is what pam_rootok looks at.
    let mut is_open = analysis.skips_root.is_some();
    for bypass in &analysis.bypasses {
        match bypass {
            Bypass::NotAsked { past, module, .. }
                if is_password_line(past) || module == "pam_permit" =>
            {
                is_open = true;
            }
            Bypass::NotAsked { past, module, .. } => {
                exceptions.push(format!("users that {module} lets skip it ({})", display(past)));
            }
            Bypass::Overruled { .. } => is_open = true,
        }
    }
    PamStack {
        asks,
        closed: (asks && !analysis.can_succeed && !analysis.too_long)
            .then(|| "the PAM stack lets nobody in".to_owned()),
        takes_one_answer: !is_shown && takes_one_answer(rules),
        is_code_alone: is_code_alone(rules),
        is_open,
        exceptions,
    }
}

/// Returns the facts about a stack whose modules are all installed.
#[cfg(test)]
pub(super) fn of_text(text: &str) -> PamStack {
    let read = |name: &str| (name == "sshd").then(|| text.to_owned());
    let Stack::Rules(rules) = Stack::parse("sshd", Kind::Auth, &read) else { panic!("{text}") };
    of_rules(&rules, &analyze(&rules, &|_| true))
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
            (format!("auth required pam_nologin.so\n{code}\n"), true, true, true, false, 0),
            (format!("{code} forward_pass\n{password}"), true, true, false, false, 0),
            (format!("{password}{code} forward_pass\n"), true, false, false, false, 0),
            (format!("auth required pam_yubico.so\n{code}\n"), true, false, false, false, 0),
            (format!("{password}{code} nullok\n"), true, false, false, false, 1),
            (format!("auth sufficient pam_unix.so\n{code}\n"), true, false, false, true, 0),
            (format!("auth sufficient pam_access.so\n{code}\n"), true, true, true, false, 1),
            (format!("auth sufficient pam_rootok.so\n{code}\n"), true, false, false, true, 0),
            (format!("{password}auth optional pam_totp.so\n"), true, false, false, true, 0),
        ] {
            let facts = of_text(&text);
            let found = (facts.asks, facts.takes_one_answer, facts.is_code_alone, facts.is_open);
            assert_eq!(found, (asks, one_answer, alone, open), "{text}");
            assert_eq!(facts.exceptions.len(), exceptions, "{text} {facts:?}");
            assert_eq!(facts.closed, None, "{text}");
        }
        assert!(of_text(&format!("{code}\nauth required pam_deny.so\n")).closed.is_some());
    }
}
