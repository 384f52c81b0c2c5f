//! Whether a stack asks for a code, and who or what is not asked.

use pam_stack::password::is_password_module;
use pam_stack::{Analysis, Bypass, Rule, Stack, lacks_first_pass};

use super::door::CodeNeed;
use crate::pam::files::display;
use crate::pam::module_options::denying_line;
use crate::pam::unenrolled_users::has_option;

/// Returns the rules of a stack, or what is known without them.
pub(crate) fn rules(stack: Stack) -> Result<Vec<Rule>, CodeNeed> {
    match stack {
        Stack::Rules(rules) => Ok(rules),
        Stack::Unreadable(_) => Err(CodeNeed::Closed("libpam cannot read its stack".to_owned())),
        Stack::IncludeCycle(_) => Err(CodeNeed::Unknown("its stack includes itself".to_owned())),
        Stack::TooLong(_) => Err(too_long()),
        Stack::Ambiguous(..) => {
            Err(CodeNeed::Unknown("versions of libpam read its stack differently".to_owned()))
        }
    }
}

/// Returns whether a login needs a code. `exists` reports whether a module is installed.
pub(crate) fn code(rules: &[Rule], analysis: &Analysis, exists: &dyn Fn(&str) -> bool) -> CodeNeed {
    let closed = || CodeNeed::Closed("its stack denies everybody".to_owned());
    if analysis.too_long {
        return too_long();
    }
    if !analysis.can_succeed {
        return closed();
    }
    match analysis.factor_lines.is_empty() || analysis.bypasses.iter().any(is_open_to_all) {
        true => CodeNeed::NotAsked,
        false if denying_line(rules, exists).is_some() || lacks_first_pass(rules).is_some() => {
            closed()
        }
        false => CodeNeed::Asked,
    }
}

fn too_long() -> CodeNeed {
    CodeNeed::Unknown("its stack is too long to check".to_owned())
}

/// Reports whether everybody with the password gets in without a code.
fn is_open_to_all(bypass: &Bypass) -> bool {
    match bypass {
        // pam_rootok is one in programs that run as root for everybody.
        Bypass::NotAsked { module, .. } => {
            is_password_module(module) || ["pam_permit", "pam_rootok"].contains(&module.as_str())
        }
        Bypass::Overruled { .. } => true,
    }
}

/// Returns who or what is not asked.
pub(crate) fn exceptions(rules: &[Rule], analysis: &Analysis) -> Vec<String> {
    let root = analysis.skips_root.iter().map(|place| format!("root ({})", display(place)));
    let bypasses = analysis.bypasses.iter().filter_map(|bypass| match bypass {
        Bypass::NotAsked { past, module, result, .. } => {
            Some(format!("{result} of {module} ({})", display(past)))
        }
        Bypass::Overruled { .. } => None,
    });
    root.chain(bypasses).chain(unenrolled_exception(rules, analysis)).collect()
}

/// Returns which users without a factor are not asked. A guard under `account` refuses all others
/// who are not asked.
pub(crate) fn unenrolled_exception(rules: &[Rule], analysis: &Analysis) -> Option<String> {
    let who = match (has_option(rules, "enroll"), analysis.skips_unenrolled) {
        (true, _) => "users without a factor, who create one (enroll)",
        (false, true) => "users without a factor (nullok)",
        (false, false) => return None,
    };
    Some(who.to_owned())
}

/// Why nobody gets in by a way that gives no code.
pub(crate) const GUARDED: &str =
    "it gives no code, and the guard refuses that unless a rule or nullok lets the user by";

#[cfg(test)]
mod tests {
    use pam_stack::analyze;
    use pam_stack::parse::Kind;

    use super::*;

    fn found(text: &str) -> (CodeNeed, Vec<String>) {
        let read = |name: &str| (name == "x").then(|| text.to_owned());
        let Stack::Rules(rules) = Stack::parse("x", Kind::Auth, &read) else { panic!("{text}") };
        let analysis = analyze(&rules, &|_| true);
        (code(&rules, &analysis, &|_| true), exceptions(&rules, &analysis))
    }

    #[test]
    fn a_stack_asks_or_does_not() {
        let ours = "auth required pam_totp.so\n";
        let closed = CodeNeed::Closed("its stack denies everybody".into());
        for (before, code, exceptions) in [
            ("auth required pam_unix.so\n", CodeNeed::Asked, &[][..]),
            ("auth sufficient pam_rootok.so\n", CodeNeed::Asked, &["root (/etc/pam.d/x:1)"]),
            (
                "auth sufficient pam_u2f.so\n",
                CodeNeed::Asked,
                &["success of pam_u2f (/etc/pam.d/x:1)"],
            ),
            (
                "auth sufficient pam_unix.so\n",
                CodeNeed::NotAsked,
                &["success of pam_unix (/etc/pam.d/x:1)"],
            ),
            (
                "auth sufficient pam_permit.so\n",
                CodeNeed::NotAsked,
                &["success of pam_permit (/etc/pam.d/x:1)"],
            ),
            ("auth requisite pam_deny.so\n", closed, &[]),
        ] {
            let (found_code, found_exceptions) = found(&format!("{before}{ours}"));
            assert_eq!(found_code, code, "{before}");
            assert_eq!(found_exceptions, exceptions, "{before}");
        }
        assert_eq!(found("auth required pam_unix.so\n").0, CodeNeed::NotAsked);
        let overruled = found("auth required pam_unix.so\nauth optional pam_totp.so\n");
        assert_eq!(overruled.0, CodeNeed::NotAsked);
        let nullok = found("auth required pam_unix.so\nauth required pam_totp.so nullok\n");
        assert_eq!(nullok.1, ["users without a factor (nullok)"]);
        let enroll = found("auth required pam_unix.so\nauth required pam_totp.so enroll\n");
        assert_eq!(enroll.1, ["users without a factor, who create one (enroll)"]);
        assert_eq!(
            found("auth required pam_totp.so use_first_pass\n").0,
            CodeNeed::Closed("its stack denies everybody".into())
        );
        // An option that the module refuses.
        for options in ["nulok", "nullok forward_pass", "timeout=61", "use_first_pass"] {
            let denied =
                format!("auth required pam_unix.so\nauth required pam_totp.so {options}\n");
            assert_eq!(found(&denied).0, CodeNeed::Closed("its stack denies everybody".into()));
        }
    }
}
