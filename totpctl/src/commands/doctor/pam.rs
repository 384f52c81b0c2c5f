//! The stacks in `/etc/pam.d`, as `pam_stack` reads them.

use std::fs;

use pam_stack::account::overrules_others;
use pam_stack::edit::WRONG_PASSWORD_RISK;
use pam_stack::parse::Kind;
use pam_stack::setcred::DROPBEAR;
use pam_stack::{Analysis, Bypass, RuleKind, Stack, analyze};

use super::report::Report;
use super::sshd;
use crate::pam::files::{
    FOLDERS, cannot_enroll, display, has_program, is_installed, is_module_option, option_conflict,
    read, remedy,
};

/// A service.
pub(super) struct Service {
    /// What is found of it.
    pub(super) report: Report,
    /// Whether it asks for a code.
    pub(super) asks: bool,
    /// Whether who has no factor gets in all the same: let by, or by making one.
    pub(super) skips_unenrolled: bool,
}

/// The services that people mean, and all others that ask for a code.
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

/// What a service does.
pub(super) fn check(service: &str) -> Service {
    let refused = |report| Service { report, asks: false, skips_unenrolled: false };
    let mut report = Report::default();
    let rules = match Stack::parse(service, Kind::Auth, &read) {
        Stack::Rules(rules) => rules,
        Stack::Unreadable(why) => {
            report.summary.push("refuses everybody".into());
            report.problems.push(format!("libpam cannot read its stack: {why}"));
            return refused(report);
        }
        Stack::IncludeCycle(place) => {
            report.summary.push("may crash".into());
            report.problems.push(format!("{} includes a file that includes it", display(&place)));
            return refused(report);
        }
    };
    if read(service).is_none() {
        report.notes.push("it has no file of its own, so that of \"other\" holds".into());
    }
    for rule in rules.iter().filter(|rule| rule.control.fault.is_some()) {
        let (word, fault) = (&rule.word, rule.control.fault.unwrap_or_default());
        let told = format!("{}: libpam cannot read {word:?} ({fault})", display(&rule.place));
        report.problems.push(format!("{told}: whatever the module says is a failure then"));
    }
    let found = analyze(&rules, &is_installed);
    for rule in rules.iter().filter(|rule| rule.module() == "pam_totp") {
        let RuleKind::Module { path, args } = &rule.kind else { continue };
        for arg in args.iter().filter(|arg| !is_module_option(arg)) {
            let place = display(&rule.place);
            let told =
                format!("{place}: pam_totp.so has no option {arg:?}, and refuses every login");
            report.problems.push(told);
        }
        if let Some(why) = option_conflict(args) {
            let place = display(&rule.place);
            report.problems.push(format!("{place}: {why}; pam_totp.so refuses every login"));
        }
        if !is_installed(path) {
            let place = display(&rule.place);
            report.problems.push(format!("{place}: {path} is not installed, and nobody gets in"));
        }
    }
    judge(&found, &mut report);
    account(service, &mut report);
    let has = |option: &str| {
        rules.iter().filter(|rule| rule.module() == "pam_totp").any(|rule| match &rule.kind {
            RuleKind::Module { args, .. } => args.iter().any(|arg| arg == option),
            _ => false,
        })
    };
    if has("nullok") && found.can_succeed && !found.skips_unenrolled {
        report.notes.push(NULLOK_WITHOUT_EFFECT.into());
    }
    let enrolls = has("enroll");
    if enrolls {
        report.summary.push("has who has no factor make one".into());
        match cannot_enroll(service) {
            Some(why) => report.problems.push(format!(
                "nobody can make a factor here, whatever they type: {why}. Take the option enroll away"
            )),
            None if found.without_password.is_some()
                && found.after_wrong_password.is_empty()
                && !(service == "sshd" && sshd::requires_other_method()) =>
            {
                report.problems.push(format!(
                    "a stranger can make a factor here (option enroll): no password module that is known has \
                     accepted before {}. Put that line behind the password, or take the option away",
                    found.without_password.as_ref().map(display).unwrap_or_default()
                ));
            }
            None if service == "sshd" && has_program("dropbear") => {
                report.notes.push(format!("by Dropbear nobody can make a factor: {DROPBEAR}"));
            }
            None => {}
        }
    }
    Service {
        report,
        asks: !found.factor_lines.is_empty(),
        skips_unenrolled: found.skips_unenrolled || enrolls,
    }
}

/// What the second factor does under `account`.
fn account(service: &str, report: &mut Report) {
    let Stack::Rules(rules) = Stack::parse(service, Kind::Account, &read) else { return };
    report.problems.extend(overrules_others(&rules).iter().map(|place| {
        format!(
            "{}: the yes of pam_totp.so under account takes the place of other checks there (whether an \
             account has expired, or may log in now): write \"required\", or take the line out",
            display(place)
        )
    }));
}

fn judge(found: &Analysis, report: &mut Report) {
    let Some(ours) = found.factor_lines.first() else {
        report.summary.push("does not ask for a code".into());
        return;
    };
    if found.too_long {
        report.summary.push("asks for a code somewhere".into());
        report.problems.push("its stack is too long to be looked through; make it shorter".into());
        return;
    }
    report.summary.push(
        if !found.can_succeed {
            "lets nobody in"
        } else if found.bypasses.is_empty() {
            "asks for a code"
        } else {
            "CAN BE ENTERED WITHOUT A CODE"
        }
        .into(),
    );
    if !found.can_succeed {
        let told =
            format!("no result of its modules lets a user with a factor in; see {}", display(ours));
        report.problems.push(told);
    }
    for ending in &found.bypasses {
        report.problems.push(match ending {
            Bypass::NotAsked { past, word, module, result } => format!(
                "{}: {result} of {module} (\"{word}\") leads past {}: put the line of pam_totp.so \
                 before it, or let it lead no further than to that line",
                display(past),
                display(ours)
            ),
            Bypass::Overruled { at, word, result } => format!(
                "{}: a login succeeds although pam_totp said {result} (\"{word}\"): write \
                 \"required\" there, and nothing that takes it back",
                display(at)
            ),
        });
    }
    if !found.after_wrong_password.is_empty() {
        let lines: Vec<_> = found.after_wrong_password.iter().map(display).collect();
        report.summary.push("asks after a wrong password too".into());
        report.problems.push(format!(
            "{}: a wrong password does not end the login here, and {} asks for a code all the same. \
             {WRONG_PASSWORD_RISK}. {}",
            lines.join(", "),
            display(ours),
            remedy(&found.after_wrong_password)
        ));
    }
    if let Some(place) = &found.skips_root {
        report.notes.push(format!("root is not asked: {}", display(place)));
    }
    if found.skips_unenrolled {
        report.summary.push("lets by who has no factor".into());
    }
}

const NULLOK_WITHOUT_EFFECT: &str =
    "nullok is without effect: no other line says yes, so who has no factor is refused";
