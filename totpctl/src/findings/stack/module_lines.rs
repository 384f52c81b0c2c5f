//! The lines of pam_totp.so one by one: their options, and the kind under which they stand.

use pam_stack::account::overrules_others;
use pam_stack::parse::Kind;
use pam_stack::{
    Misplaced, PasswordAsCode, Place, Rule, RuleKind, Stack, is_guard, keeping_passwords,
    lacks_first_pass, misplaced, passwords_as_codes,
};
use totpd_interface::OptionFault;

use super::{guard_lines, missing_module};
use crate::findings::finding::{Finding, FindingId};
use crate::findings::report::Report;
use crate::pam::files::locate;
use crate::pam::module_options::{FIRST_PASS_IS_PASSWORD, PASSWORD_TRIED_AS_CODE, advice, faults};
use crate::pam::snapshot::Snapshot;

/// Checks the lines under `auth`.
pub(super) fn check_auth(rules: &[Rule], files: &Snapshot, report: &mut Report) {
    for rule in rules {
        report.problems.extend(control(rule));
        report.problems.extend(line(rule, files));
        report
            .problems
            .extend(Some(rule).filter(|rule| is_guard(rule)).map(guard_lines::under_auth));
    }
    report.problems.extend(lacks_first_pass(rules).map(first_pass_missing));
    for found in passwords_as_codes(rules, &|module| files.is_installed(module)) {
        password_as_code(&found, report);
    }
}

/// Checks the lines under `account`, `session` and `password`. Returns true if one is wrong.
pub(super) fn check_other_kinds(service: &str, files: &Snapshot, report: &mut Report) -> bool {
    let before = report.problems.len() + report.notes.len();
    let rules = |kind| match Stack::parse(service, kind, &|name| files.read(name)) {
        Stack::Rules(rules) => rules,
        _ => Vec::new(),
    };
    account(&rules(Kind::Account), files, report);
    guard_lines::check(service, &rules(Kind::Account), &rules(Kind::Auth), report);
    for found in misplaced(&rules(Kind::Session)) {
        no_function(&found, report);
    }
    for place in keeping_passwords(&rules(Kind::Password)) {
        report.problems.push(keeps_passwords(&place));
    }
    before < report.problems.len() + report.notes.len()
}

fn control(rule: &Rule) -> Option<Finding> {
    let message = match (&rule.kind, rule.control.fault) {
        // An included file that cannot be read has a word, and a finding of its own.
        (RuleKind::MustFail(reason), _) if rule.word.is_empty() => {
            format!(
                "libpam cannot read this line, and counts it as a failure: {reason}; correct it"
            )
        }
        (_, Some(fault)) => format!(
            "libpam cannot read {:?} ({fault}), and treats every result of the module as a failure; correct it",
            rule.word
        ),
        (_, None) => return None,
    };
    Some(Finding::new(FindingId::ControlUnreadable, message).at(locate(&rule.place)))
}

/// Checks the options of a line of the second factor, and that its module is there.
fn line(rule: &Rule, files: &Snapshot) -> Vec<Finding> {
    let RuleKind::Module { path, args } = &rule.kind else { return Vec::new() };
    if !rule.is_factor() {
        return Vec::new();
    }
    let mut found: Vec<_> = faults(args).iter().map(option_fault).collect();
    if !files.is_installed(path) {
        let message = format!("{path} is not installed, so nobody can log in");
        let exists = |module: &str| files.is_installed(module);
        let fix = missing_module::advice(path, &exists, "install it, or remove this line");
        found.push(Finding::new(FindingId::ModuleNotInstalled, message).fix(fix));
    }
    found.into_iter().map(|finding| finding.at(locate(&rule.place))).collect()
}

fn option_fault(fault: &OptionFault<'_>) -> Finding {
    let (id, message) = match fault {
        OptionFault::Unknown(option) => (
            FindingId::UnknownModuleOption,
            format!("pam_totp.so has no option {option:?}, and denies every login"),
        ),
        OptionFault::Invalid { option, rule } => {
            (FindingId::OptionInvalid, format!("{option:?} {rule}; pam_totp.so denies every login"))
        }
        OptionFault::Conflict(reason) => {
            (FindingId::ConflictingOptions, format!("{reason}; pam_totp.so denies every login"))
        }
    };
    Finding::new(id, message).fix(advice(fault))
}

fn first_pass_missing(rule: &Rule) -> Finding {
    let message = "pam_totp.so denies every login with a code: use_first_pass asks for none, and no line before \
                   it asks for anything";
    Finding::new(FindingId::FirstPassMissing, message)
        .fix("remove use_first_pass")
        .at(locate(&rule.place))
}

fn password_as_code(found: &PasswordAsCode, report: &mut Report) {
    let place = locate(&found.place);
    if found.asks {
        let finding = Finding::new(FindingId::PasswordTriedAsCode, PASSWORD_TRIED_AS_CODE);
        report.notes.push(finding.fix("remove try_first_pass").at(place));
    } else {
        let finding = Finding::new(FindingId::FirstPassIsPassword, FIRST_PASS_IS_PASSWORD);
        report.problems.push(finding.fix("remove use_first_pass").at(place));
    }
}

/// Checks the lines under `account`. The module accepts there, and must not replace other checks.
fn account(rules: &[Rule], files: &Snapshot, report: &mut Report) {
    let message = "the success of pam_totp.so under account replaces other checks (whether the account has \
                   expired, or may log in now); write \"required\", or remove the line";
    for rule in rules.iter().filter(|rule| rule.is_factor()) {
        report.problems.extend(control(rule));
        report.problems.extend(line(rule, files));
    }
    report.problems.extend(
        overrules_others(rules)
            .iter()
            .map(|place| Finding::new(FindingId::AccountReplacesChecks, message).at(locate(place))),
    );
}

/// Returns the finding of a line under `password` that is no listener.
fn keeps_passwords(place: &Place) -> Finding {
    let message =
        "pam_totp.so ignores each change of a password, and this line makes a failure of that";
    Finding::new(FindingId::ModuleMisplaced, message).fix("write \"optional\"").at(locate(place))
}

/// Adds a line under `session`.
fn no_function(found: &Misplaced, report: &mut Report) {
    let place = locate(&found.place);
    if found.counts {
        let message = "pam_totp.so has no function under session, and this line ends every login after the \
                       code";
        let finding = Finding::new(FindingId::ModuleMisplaced, message);
        report.problems.push(finding.fix("remove the line").at(place));
    } else {
        let message = "pam_totp.so has no function under session; libpam ignores its failure";
        let finding = Finding::new(FindingId::ModuleMisplaced, message);
        report.notes.push(finding.fix("remove the line").at(place));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<String> {
        let read = |kind| match Stack::parse("x", kind, &|name| (name == "x").then(|| text.into()))
        {
            Stack::Rules(rules) => rules,
            _ => panic!("{text}"),
        };
        let mut report = Report::default();
        for found in passwords_as_codes(&read(Kind::Auth), &|_| true) {
            password_as_code(&found, &mut report);
        }
        misplaced(&read(Kind::Session)).iter().for_each(|found| no_function(found, &mut report));
        let keeping = keeping_passwords(&read(Kind::Password));
        report.problems.extend(keeping.iter().map(keeps_passwords));
        let problems = report.problems.iter().map(|finding| format!("problem {}", finding.line()));
        let notes = report.notes.iter().map(|finding| format!("note {}", finding.line()));
        problems.chain(notes).collect()
    }

    #[test]
    fn a_line_in_the_wrong_place_has_a_change_to_make() {
        let unix = "auth requisite pam_unix.so\nsession required pam_unix.so\n\
                    password required pam_unix.so\n";
        for (line, expected) in [
            (
                "session required pam_totp.so",
                "problem /etc/pam.d/x:4: pam_totp.so has no function under session, and this line ends every \
                 login after the code; remove the line [module-misplaced]",
            ),
            (
                "session optional pam_totp.so",
                "note /etc/pam.d/x:4: pam_totp.so has no function under session; libpam ignores its failure; \
                 remove the line [module-misplaced]",
            ),
            (
                "password [default=bad] pam_totp.so",
                "problem /etc/pam.d/x:4: pam_totp.so ignores each change of a password, and this line makes a \
                 failure of that; write \"optional\" [module-misplaced]",
            ),
            (
                "auth required pam_totp.so use_first_pass",
                "problem /etc/pam.d/x:4: use_first_pass takes the accepted password for a code, so pam_totp.so \
                 denies every login; remove use_first_pass [first-pass-is-password]",
            ),
            (
                "auth required pam_totp.so try_first_pass",
                "note /etc/pam.d/x:4: try_first_pass tries the accepted password as a code, and one of digits \
                 counts as a wrong code; remove try_first_pass [password-tried-as-code]",
            ),
        ] {
            assert_eq!(found(&format!("{unix}{line}\n")), [expected]);
        }
        for line in ["auth required pam_totp.so", "password optional pam_totp.so"] {
            assert!(found(&format!("{unix}{line}\n")).is_empty(), "{line}");
        }
    }

    #[test]
    fn an_option_that_the_module_refuses_is_found() {
        let args = |line: &str| line.split(' ').map(ToOwned::to_owned).collect::<Vec<_>>();
        for (line, expected) in [
            (
                "timeout=5 timeout=61",
                "must be 1 to 60 seconds; pam_totp.so denies every login; correct",
            ),
            ("timeout=", "[option-invalid]"),
            ("nulok", "has no option \"nulok\", and denies every login; correct"),
            ("names", "write show_names"),
            ("nullok forward_pass", "pam_totp.so denies every login; remove one of the options"),
        ] {
            let args = args(line);
            let lines: Vec<_> =
                faults(&args).iter().map(|fault| option_fault(fault).line()).collect();
            assert!(lines.len() == 1 && lines[0].contains(expected), "{line}: {lines:?}");
        }
    }

    #[test]
    fn a_line_that_libpam_cannot_read_is_named_with_the_reason() {
        for (line, expected) in [
            (
                "foo bar baz",
                "counts it as a failure: the first word is not auth, account, password",
            ),
            ("foo required pam_x.so", "counts it as a failure: the first word is not auth"),
            ("login auth required pam_x.so", "the first word is not auth"),
            ("auth required", "counts it as a failure: the module is missing"),
            ("auth requird pam_x.so", "cannot read \"requird\" ("),
        ] {
            let read = |name: &str| (name == "x").then(|| format!("{line}\n"));
            let Stack::Rules(rules) = Stack::parse("x", Kind::Auth, &read) else {
                panic!("{line}")
            };
            let told: Vec<_> = rules.iter().filter_map(control).map(|found| found.line()).collect();
            assert!(told.len() == 1 && told.concat().contains(expected), "{line}: {told:?}");
        }
    }
}
