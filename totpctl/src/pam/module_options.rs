//! The options of the lines of pam_totp.so, judged as the module judges them.

use pam_stack::{Place, Rule, RuleKind, passwords_as_codes};
use totpd_interface::{ModuleOption, OptionFault};

/// Returns why pam_totp.so denies every login through a line with these options.
pub(crate) fn faults(args: &[String]) -> Vec<OptionFault<'_>> {
    let args: Vec<_> = args.iter().map(String::as_str).collect();
    ModuleOption::parse_line(&args).err().unwrap_or_default()
}

/// Returns what is wrong, as a sentence with the change to make.
pub(crate) fn sentence(fault: &OptionFault<'_>) -> String {
    match fault {
        OptionFault::Unknown(option) => {
            format!("pam_totp.so has no option {option:?}; {}", advice(fault))
        }
        OptionFault::Invalid { option, rule } => format!("{option:?} {rule}; {}", advice(fault)),
        OptionFault::Conflict(reason) => {
            format!("these options of pam_totp.so do not go together: {reason}")
        }
    }
}

/// Returns the change to make.
pub(crate) fn advice(fault: &OptionFault<'_>) -> &'static str {
    match fault {
        OptionFault::Unknown("names") => "write show_names, as the option is called now",
        OptionFault::Unknown(_) => "correct or remove it (pam_totp(8) lists all options)",
        OptionFault::Invalid { .. } => "correct or remove it",
        OptionFault::Conflict(_) => "remove one of the options",
    }
}

/// Returns the first line of the second factor that denies every login by its options, and why, as
/// a sentence with the change to make.
pub(crate) fn denying_line(
    rules: &[Rule],
    exists: &dyn Fn(&str) -> bool,
) -> Option<(Place, String)> {
    let by_option = rules.iter().filter(|rule| rule.is_factor()).find_map(|rule| {
        let RuleKind::Module { args, .. } = &rule.kind else { return None };
        let fault = faults(args).first().map(sentence)?;
        Some((rule.place.clone(), fault))
    });
    let by_password = || {
        let lines = passwords_as_codes(rules, exists);
        let line = lines.into_iter().find(|line| !line.asks)?;
        Some((line.place, format!("{FIRST_PASS_IS_PASSWORD}; remove use_first_pass")))
    };
    by_option.or_else(by_password)
}

/// Why use_first_pass behind a password denies every login.
pub(crate) const FIRST_PASS_IS_PASSWORD: &str = "use_first_pass takes the accepted password for a code, so \
                                                 pam_totp.so denies every login";
/// Why try_first_pass behind a password is of no use.
pub(crate) const PASSWORD_TRIED_AS_CODE: &str = "try_first_pass tries the accepted password as a code, and one of \
                                                 digits counts as a wrong code";

#[cfg(test)]
mod tests {
    use pam_stack::Stack;
    use pam_stack::parse::Kind;

    use super::*;

    #[test]
    fn a_line_that_denies_every_login_is_found() {
        for (options, expected) in [
            ("", None),
            ("timeout=60", None),
            ("try_first_pass", None),
            ("timeout=61", Some("\"timeout=61\" must be 1 to 60 seconds; correct or remove it")),
            ("timeout=5 timeout=5s", Some("\"timeout=5s\" must be 1 to 60 seconds")),
            ("names", Some("write show_names")),
            ("nullok forward_pass", Some("do not go together")),
            ("use_first_pass", Some("remove use_first_pass")),
        ] {
            let text = format!("auth requisite pam_unix.so\nauth required pam_totp.so {options}\n");
            let read = |name: &str| (name == "x").then(|| text.clone());
            let Stack::Rules(rules) = Stack::parse("x", Kind::Auth, &read) else { panic!() };
            match (denying_line(&rules, &|_| true), expected) {
                (None, None) => {}
                (Some((place, told)), Some(expected)) => {
                    assert_eq!(place.line, 2, "{options}");
                    assert!(told.contains(expected), "{options}: {told}");
                }
                (found, _) => panic!("{options}: {found:?}"),
            }
        }
    }
}
