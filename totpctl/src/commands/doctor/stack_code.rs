//! Whether a stack asks for a code, and who or what is not asked.

use pam_stack::password::is_password_module;
use pam_stack::{Analysis, Bypass};

use super::door::Code;
use crate::pam::files::display;

/// Returns whether a login needs a code. `denies_all`: its options make the module deny all.
pub(super) fn code(analysis: &Analysis, denies_all: bool) -> Code {
    let closed = || Code::Closed("its stack denies everybody".to_owned());
    if analysis.too_long {
        return Code::Unknown("its stack is too long to check".to_owned());
    }
    if !analysis.can_succeed {
        return closed();
    }
    match analysis.factor_lines.is_empty() || analysis.bypasses.iter().any(is_open_to_all) {
        true => Code::NotAsked,
        false if denies_all => closed(),
        false => Code::Asked,
    }
}

/// Reports whether everybody with the password gets in without a code.
fn is_open_to_all(bypass: &Bypass) -> bool {
    match bypass {
        Bypass::NotAsked { module, .. } => is_password_module(module) || module == "pam_permit",
        Bypass::Overruled { .. } => true,
    }
}

/// Returns who or what is not asked. `enrolls`: users without a factor create one.
pub(super) fn exceptions(analysis: &Analysis, enrolls: bool) -> Vec<String> {
    let root = analysis.skips_root.iter().map(|place| format!("root ({})", display(place)));
    let bypasses = analysis.bypasses.iter().filter_map(|bypass| match bypass {
        Bypass::NotAsked { past, module, result, .. } => {
            Some(format!("{result} of {module} ({})", display(past)))
        }
        Bypass::Overruled { .. } => None,
    });
    let unenrolled = match (enrolls, analysis.skips_unenrolled) {
        (true, _) => Some("users without a factor, who create one (enroll)"),
        (false, true) => Some("users without a factor (nullok)"),
        (false, false) => None,
    };
    root.chain(bypasses).chain(unenrolled.map(ToOwned::to_owned)).collect()
}

#[cfg(test)]
mod tests {
    use pam_stack::parse::Kind;
    use pam_stack::{Stack, analyze};

    use super::*;

    fn found(text: &str) -> (Code, Vec<String>) {
        let read = |name: &str| (name == "x").then(|| text.to_owned());
        let Stack::Rules(rules) = Stack::parse("x", Kind::Auth, &read) else { panic!("{text}") };
        let analysis = analyze(&rules, &|_| true);
        (code(&analysis, false), exceptions(&analysis, false))
    }

    #[test]
    fn a_stack_asks_or_does_not() {
        let ours = "auth required pam_totp.so\n";
        let closed = Code::Closed("its stack denies everybody".into());
        for (before, code, exceptions) in [
            ("auth required pam_unix.so\n", Code::Asked, &[][..]),
            ("auth sufficient pam_rootok.so\n", Code::Asked, &["root (/etc/pam.d/x:1)"]),
            ("auth sufficient pam_u2f.so\n", Code::Asked, &["success of pam_u2f (/etc/pam.d/x:1)"]),
            (
                "auth sufficient pam_unix.so\n",
                Code::NotAsked,
                &["success of pam_unix (/etc/pam.d/x:1)"],
            ),
            (
                "auth sufficient pam_permit.so\n",
                Code::NotAsked,
                &["success of pam_permit (/etc/pam.d/x:1)"],
            ),
            ("auth requisite pam_deny.so\n", closed, &[]),
        ] {
            let (found_code, found_exceptions) = found(&format!("{before}{ours}"));
            assert_eq!(found_code, code, "{before}");
            assert_eq!(found_exceptions, exceptions, "{before}");
        }
        assert_eq!(found("auth required pam_unix.so\n").0, Code::NotAsked);
        let overruled = found("auth required pam_unix.so\nauth optional pam_totp.so\n");
        assert_eq!(overruled.0, Code::NotAsked);
        let nullok = found("auth required pam_unix.so\nauth required pam_totp.so nullok\n");
        assert_eq!(nullok.1, ["users without a factor (nullok)"]);
    }
}
