//! The stacks in `/etc/pam.d`, as `pam_stack` explores them.

use std::fs;

use pam_stack::account::overrules_others;
use pam_stack::edit::WRONG_PASSWORD_RISK;
use pam_stack::parse::Kind;
use pam_stack::setcred::DROPBEAR;
use pam_stack::{Analysis, Bypass, Place, Rule, RuleKind, Stack, analyze};

use super::door::Door;
use super::finding::{Finding, FindingId};
use super::report::Report;
use super::sshd;
use crate::pam::files::{
    FOLDERS, cannot_enroll, display, is_installed, is_module_option, locate, option_advice,
    option_conflict, read, remedy,
};
use crate::program;

/// A checked service.
pub(super) struct Service {
    pub(super) report: Report,
    /// The ways in of its program.
    pub(super) doors: Vec<Door>,
    /// True if the service asks for a code.
    pub(super) asks: bool,
    /// True if a user without a factor can log in: unasked, or by creating one.
    pub(super) skips_unenrolled: bool,
}

/// Returns the usual services that exist, and all others that ask for a code.
pub(super) fn services() -> Vec<String> {
    let mut names: Vec<String> = ["sshd", "sudo", "sudo-i", "su", "su-l", "login"]
        .into_iter()
        .filter(|name| read(name).is_some())
        .map(ToOwned::to_owned)
        .collect();
    let files = fs::read_dir(FOLDERS[0]).into_iter().flatten().flatten();
    let mut others: Vec<String> = files
        .filter_map(|file| file.file_name().into_string().ok())
        .filter(|name| !names.contains(name) && !name.starts_with("common-"))
        .filter(|name| check(name).asks)
        .collect();
    others.sort();
    names.append(&mut others);
    names
}

/// Checks the stack of a service.
pub(super) fn check(service: &str) -> Service {
    let mut report = Report::default();
    let rules = match Stack::parse(service, Kind::Auth, &read) {
        Stack::Rules(rules) => rules,
        Stack::Unreadable(reason) => {
            report.summarize("denies everybody");
            report.problem(
                FindingId::StackUnreadable,
                format!("libpam cannot read the stack: {reason}"),
            );
            return Service { report, doors: Vec::new(), asks: false, skips_unenrolled: false };
        }
        Stack::IncludeCycle(place) => {
            report.summarize("may crash");
            let message = "the file includes itself; remove this line";
            report.problems.push(Finding::new(FindingId::IncludeCycle, message).at(locate(&place)));
            return Service { report, doors: Vec::new(), asks: false, skips_unenrolled: false };
        }
        Stack::TooLong(place) => {
            report.summarize("is not checked");
            let message = "the stack is too long to check; shorten it";
            report.problems.push(Finding::new(FindingId::StackTooLong, message).at(locate(&place)));
            return Service { report, doors: Vec::new(), asks: false, skips_unenrolled: false };
        }
    };
    if read(service).is_none() {
        report.note(
            FindingId::NoOwnStack,
            "it has no file of its own; libpam uses that of \"other\"",
        );
    }
    for rule in &rules {
        control(rule, &mut report);
        module(rule, &mut report);
    }
    let analysis = analyze(&rules, &is_installed);
    paths(&analysis, &mut report);
    account(service, &mut report);
    if has_option(&rules, "nullok") && analysis.can_succeed && !analysis.skips_unenrolled {
        report.note(FindingId::NullokWithoutEffect, NULLOK_WITHOUT_EFFECT);
    }
    let enrolls = has_option(&rules, "enroll");
    if enrolls {
        report.summarize("enrolls users without a factor");
        enroll(service, &analysis, &mut report);
    }
    Service {
        report,
        doors: Vec::new(),
        asks: !analysis.factor_lines.is_empty(),
        skips_unenrolled: analysis.skips_unenrolled || enrolls,
    }
}

fn control(rule: &Rule, report: &mut Report) {
    let Some(fault) = rule.control.fault else { return };
    let message = format!(
        "libpam cannot read {:?} ({fault}), and treats every result of the module as a failure; correct it",
        rule.word
    );
    let finding = Finding::new(FindingId::ControlUnreadable, message);
    report.problems.push(finding.at(locate(&rule.place)));
}

/// Checks a line of the second factor.
fn module(rule: &Rule, report: &mut Report) {
    let RuleKind::Module { path, args } = &rule.kind else { return };
    if rule.module() != "pam_totp" {
        return;
    }
    let mut problem = |id, message: String| {
        report.problems.push(Finding::new(id, message).at(locate(&rule.place)));
    };
    for arg in args.iter().filter(|arg| !is_module_option(arg)) {
        let advice = option_advice(arg);
        problem(
            FindingId::UnknownModuleOption,
            format!("pam_totp.so has no option {arg:?}, and denies every login; {advice}"),
        );
    }
    if let Some(reason) = option_conflict(args) {
        problem(
            FindingId::ConflictingOptions,
            format!("{reason}; pam_totp.so denies every login; remove one of the options"),
        );
    }
    if !is_installed(path) {
        problem(
            FindingId::ModuleNotInstalled,
            format!(
                "{path} is not installed, so nobody can log in; install it, or remove this line"
            ),
        );
    }
}

fn has_option(rules: &[Rule], option: &str) -> bool {
    rules.iter().filter(|rule| rule.module() == "pam_totp").any(|rule| match &rule.kind {
        RuleKind::Module { args, .. } => args.iter().any(|arg| arg == option),
        _ => false,
    })
}

/// Checks whether factors can be created at this service, and only by users who gave a password.
fn enroll(service: &str, analysis: &Analysis, report: &mut Report) {
    if let Some(reason) = cannot_enroll(service) {
        report.problem(
            FindingId::EnrollWithoutSetcred,
            format!("no user can create a factor here: {reason}; remove the option enroll"),
        );
        return;
    }
    if let Some(place) = &analysis.without_password
        && analysis.after_wrong_password.is_empty()
        && !(service == "sshd" && sshd::requires_other_method())
    {
        let message = "a stranger can create a factor here (option enroll): no known password module accepts \
                       before this line; move it after the password, or remove the option";
        let finding = Finding::new(FindingId::StrangerCanEnroll, message);
        report.problems.push(finding.at(locate(place)));
    } else if service == "sshd" && program::path("dropbear").is_some() {
        report.note(
            FindingId::DropbearCannotEnroll,
            format!("no user can create a factor through Dropbear: {DROPBEAR}"),
        );
    }
}

/// Checks the second factor under `account`.
fn account(service: &str, report: &mut Report) {
    let Stack::Rules(rules) = Stack::parse(service, Kind::Account, &read) else { return };
    let message = "the success of pam_totp.so under account replaces other checks (whether the account has \
                   expired, or may log in now); write \"required\", or remove the line";
    report.problems.extend(
        overrules_others(&rules)
            .iter()
            .map(|place| Finding::new(FindingId::AccountReplacesChecks, message).at(locate(place))),
    );
}

/// Reports what the paths through the stack do.
fn paths(analysis: &Analysis, report: &mut Report) {
    let Some(factor) = analysis.factor_lines.first() else {
        report.summarize("does not ask for a code");
        return;
    };
    if analysis.too_long {
        report.summarize("asks for a code somewhere");
        report.problem(FindingId::StackTooLong, "the stack is too long to check; shorten it");
        return;
    }
    if !analysis.can_succeed {
        report.summarize("lets nobody in");
        report.problem(
            FindingId::NobodyCanLogIn,
            format!(
                "no path through the stack accepts a user with a factor; see {}",
                display(factor)
            ),
        );
    } else if analysis.bypasses.is_empty() {
        report.summarize("asks for a code");
    } else {
        report.summarize("CAN BE ENTERED WITHOUT A CODE");
    }
    report.problems.extend(analysis.bypasses.iter().map(|found| bypass(found, factor)));
    if let Some(finding) = after_wrong_password(&analysis.after_wrong_password, factor) {
        report.summarize("asks after a wrong password too");
        report.problems.push(finding);
    }
    if let Some(place) = &analysis.skips_root {
        let finding =
            Finding::new(FindingId::RootNotAsked, "root is not asked, because of this line");
        report.notes.push(finding.at(locate(place)));
    }
    if analysis.skips_unenrolled {
        report.summarize("skips users without a factor");
    }
}

fn bypass(bypass: &Bypass, factor: &Place) -> Finding {
    match bypass {
        Bypass::NotAsked { past, word, module, result } => {
            let message = format!(
                "{result} of {module} (\"{word}\") skips {}; move the line of pam_totp.so before this one, or \
                 let this one skip no further than that line",
                display(factor)
            );
            Finding::new(FindingId::StackSkipsCode, message).at(locate(past))
        }
        Bypass::Overruled { at, word, result } => {
            let message = format!(
                "a login succeeds although pam_totp returned {result} (\"{word}\"); write \"required\" here, \
                 and no later line that resets it"
            );
            Finding::new(FindingId::StackOverrulesCode, message).at(locate(at))
        }
    }
}

fn after_wrong_password(places: &[Place], factor: &Place) -> Option<Finding> {
    let (first, others) = places.split_first()?;
    let others: Vec<_> = others.iter().map(display).collect();
    let others = match others.as_slice() {
        [] => String::new(),
        others => format!(" (nor at {})", others.join(", ")),
    };
    let message = format!(
        "a wrong password does not end the login here{others}, so {} still asks for a code. \
         {WRONG_PASSWORD_RISK}. {}",
        display(factor),
        remedy(places)
    );
    let id = FindingId::StackContinuesAfterWrongPassword;
    Some(Finding::new(id, message).at(locate(first)))
}

const NULLOK_WITHOUT_EFFECT: &str =
    "nullok has no effect: no other line accepts, so a user without a factor is denied";
