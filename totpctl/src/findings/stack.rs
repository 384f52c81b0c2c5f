//! The stacks of PAM, as `pam_stack` explores them.

mod guard_lines;
mod missing_module;
mod module_lines;
mod second_line;
#[cfg(test)]
mod tests;
mod unenrolled_users;

use std::collections::BTreeSet;

use pam_stack::edit::WRONG_PASSWORD_RISK;
use pam_stack::parse::Kind;
use pam_stack::{Analysis, Bypass, Place, Rule, Stack, ambiguity_fix, analyze, needs_two_answers};

use super::finding::{Finding, FindingId};
use super::report::Report;
use crate::host::door::CodeNeed;
use crate::host::sshd;
use crate::host::stack_code::{GUARDED, code, exceptions, rules, unenrolled_exception};
use crate::pam::asking_line::lets_nobody_by;
use crate::pam::files::{display, locate, path_of, remedy};
use crate::pam::snapshot::Snapshot;
use crate::pam::unenrolled_users::{Outcome, Unenrolled, has_option, options};

/// A checked service.
pub(crate) struct Service {
    /// True if the service asks for a code.
    pub(crate) asks: bool,
    /// True if a line of pam_totp.so under another kind than `auth` is wrong.
    pub(crate) is_misused: bool,
    /// The options of its lines of pam_totp.so, each once and in order.
    pub(crate) options: Vec<String>,
    /// What it does with a user who has no factor.
    pub(crate) unenrolled: Unenrolled,
    /// Whether a login needs a code.
    pub(crate) code: CodeNeed,
    /// Who or what is not asked, each as a phrase.
    pub(crate) exceptions: Vec<String>,
    /// True if a guard refuses everybody else who gave no code.
    pub(crate) is_guarded: bool,
    /// True if it asks for a password and for a code, and one answer cannot have both.
    pub(crate) needs_two_answers: bool,
    /// True if a login without a code gets in nowhere, because no other line accepts.
    pub(crate) lets_nobody_by: bool,
}

impl Service {
    /// Reports whether a line of pam_totp.so counts in it.
    pub(crate) fn concerns_totpd(&self) -> bool {
        self.asks || self.is_misused || self.is_guarded
    }

    /// Returns a service without rules, of which only this is known.
    fn without_rules(code: CodeNeed) -> Self {
        Self {
            asks: false,
            is_misused: false,
            options: Vec::new(),
            unenrolled: Unenrolled::NotAsked,
            code,
            exceptions: Vec::new(),
            is_guarded: false,
            needs_two_answers: false,
            lets_nobody_by: false,
        }
    }
}

/// Checks the stack of a service, and adds what is wrong with it.
pub(crate) fn check(service: &str, files: &Snapshot, report: &mut Report) -> Service {
    let rules = match parse(service, files, report) {
        Ok(rules) => rules,
        Err(code) => return Service::without_rules(code),
    };
    if !files.has(service) {
        report.note(
            FindingId::NoOwnStack,
            "it has no file of its own; libpam uses that of \"other\"",
        );
    } else if has_no_lines(service, files) {
        report.note(
            FindingId::NoOwnStack,
            "its file has no line under auth; libpam uses those of \"other\"",
        );
    }
    module_lines::check_auth(&rules, files, report);
    let is_misused = module_lines::check_other_kinds(service, files, report);
    let analysis = analyze(&rules, &|module| files.is_installed(module));
    let missing = missing_module::finding(&rules, &|module| files.is_installed(module));
    let failed: Vec<_> = rules.iter().filter_map(failed_include).collect();
    let is_shut = !failed.is_empty() && !analysis.can_succeed && !analysis.too_long;
    report.problems.extend(failed);
    match is_shut {
        true => report.summarize("denies everybody"),
        false => paths(&analysis, missing, report),
    }
    let is_of_sshd = || service == "sshd" || sshd::uses_service(service);
    report.notes.extend(code_alone(&analysis).filter(|_| !is_of_sshd()));
    let outcome = Outcome::from_rules(&rules, &analysis);
    if has_option(&rules, "nullok") {
        let requires_other_method = sshd::requires_other_method(service);
        unenrolled_users::check_nullok(requires_other_method, &outcome, &analysis, report);
    }
    if has_option(&rules, "enroll") {
        report.summarize("enrolls users without a factor");
        let requires_other_method = sshd::requires_other_method(service);
        unenrolled_users::check_enroll(service, requires_other_method, &analysis, report);
    }
    let is_guarded = guard_lines::is_guarded(service, files);
    let all: BTreeSet<_> = options(&rules).map(ToOwned::to_owned).collect();
    Service {
        asks: !analysis.factor_lines.is_empty(),
        is_misused,
        options: all.into_iter().collect(),
        unenrolled: outcome.unenrolled,
        code: match code(&rules, &analysis, &|module| files.is_installed(module)) {
            CodeNeed::NotAsked if is_guarded => CodeNeed::Unanswerable(GUARDED.to_owned()),
            code => code,
        },
        exceptions: match is_guarded {
            true => unenrolled_exception(&rules, &analysis).into_iter().collect(),
            false => exceptions(&rules, &analysis),
        },
        is_guarded,
        needs_two_answers: needs_two_answers(&rules),
        lets_nobody_by: !analysis.factor_lines.is_empty() && lets_nobody_by(&rules),
    }
}

/// Returns the problem of a line whose file cannot be included.
fn failed_include(rule: &Rule) -> Option<Finding> {
    let message = format!("libpam cannot read the stack: {}", rule.failed_include()?);
    let finding = Finding::new(FindingId::StackUnreadable, message).fix(RESTORE);
    Some(finding.at(locate(&rule.place)))
}

/// Returns the note that a code is enough. sshd has one of its own, because a key may come first.
fn code_alone(analysis: &Analysis) -> Option<Finding> {
    let place = analysis.code_alone.as_ref().filter(|_| analysis.bypasses.is_empty())?;
    let message = "a code alone lets in users who have a factor: nothing else on that path proves who they are";
    let finding = Finding::new(FindingId::CodeAlone, message);
    Some(
        finding
            .fix("ask all of them for the password too, unless that is intended")
            .at(locate(place)),
    )
}

/// Returns the rules of a service, or what is known without them.
fn parse(service: &str, files: &Snapshot, report: &mut Report) -> Result<Vec<Rule>, CodeNeed> {
    let stack = Stack::parse(service, Kind::Auth, &|name| files.read(name));
    if let Some((file, reason)) = unreadable_file(service, files) {
        report.summarize("is not checked");
        let message = format!("the file cannot be read: {reason}");
        let finding = Finding::new(FindingId::StackNotChecked, message).in_file(file);
        // For root the reason is in the file, and it stops libpam, or may.
        match nix::unistd::geteuid().is_root() {
            true => report.problems.push(finding.fix("correct the file")),
            false => report.notes.push(finding.fix("run doctor as root")),
        }
        return Err(CodeNeed::Unknown("its stack cannot be read".to_owned()));
    }
    match &stack {
        Stack::Rules(_) => {}
        Stack::Unreadable(reason) => {
            report.summarize("denies everybody");
            let message = format!("libpam cannot read the stack: {reason}");
            let finding = Finding::new(FindingId::StackUnreadable, message);
            report.problems.push(finding.fix(RESTORE));
        }
        Stack::IncludeCycle(place) => {
            report.summarize("may crash");
            let message = "the file includes itself; remove this line";
            report.problems.push(Finding::new(FindingId::IncludeCycle, message).at(locate(place)));
        }
        Stack::Ambiguous(place, reason) => {
            report.summarize("depends on the version of libpam");
            let finding =
                Finding::new(FindingId::StackAmbiguous, *reason).fix(ambiguity_fix(reason));
            report.problems.push(finding.at(locate(place)));
        }
        Stack::TooLong(place) => {
            report.summarize("is not checked");
            let finding = Finding::new(FindingId::StackTooLong, TOO_LONG).fix("shorten it");
            report.problems.push(finding.at(locate(place)));
        }
    }
    rules(stack)
}

/// Reports whether the file of a service has no line under `auth`, nor a file that it includes.
fn has_no_lines(service: &str, files: &Snapshot) -> bool {
    let read = |name: &str| files.read(name).filter(|_| name == service || name != "other");
    let own = Stack::parse(service, Kind::Auth, &read);
    service != "other" && matches!(own, Stack::Rules(rules) if rules.is_empty())
}

/// Returns a file of the stack that exists but cannot be read, and the reason.
fn unreadable_file(service: &str, files: &Snapshot) -> Option<(String, String)> {
    let unreadable = files.unreadable();
    if unreadable.is_empty() {
        return None;
    }
    // Only the files of this service: others may have been looked up before.
    let touched = std::cell::RefCell::new(Vec::new());
    let read = |name: &str| {
        touched.borrow_mut().push(name.to_owned());
        files.read(name)
    };
    let _ = Stack::parse(service, Kind::Auth, &read);
    let touched = touched.into_inner();
    let (name, reason) = unreadable.into_iter().find(|(name, _)| touched.contains(name))?;
    Some((path_of(&name).unwrap_or(name), reason))
}

/// Reports what the paths through the stack do. `missing` is the problem of a module whose missing
/// file keeps everybody out.
fn paths(analysis: &Analysis, missing: Option<Finding>, report: &mut Report) {
    let Some(factor) = analysis.factor_lines.first() else {
        report.summarize(match missing {
            Some(_) => "lets nobody in",
            None => "does not ask for a code",
        });
        report.problems.extend(missing);
        return;
    };
    if analysis.too_long {
        report.summarize("asks for a code somewhere");
        report.problems.push(Finding::new(FindingId::StackTooLong, TOO_LONG).fix("shorten it"));
        return;
    }
    if !analysis.can_succeed {
        report.summarize("lets nobody in");
        report.problems.push(missing.unwrap_or_else(|| nobody_can_log_in(factor)));
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
            Finding::new(FindingId::RootNotAsked, "root is not asked, because of this line")
                .fix("to ask root too, move the line of pam_totp.so before this one");
        report.notes.push(finding.at(locate(place)));
    }
    if let Some((first, second)) = &analysis.asks_twice {
        report.summarize("asks for the code twice");
        report.problems.push(second_line::finding(first, second));
    }
    if analysis.skips_unenrolled {
        report.summarize("skips users without a factor");
    }
    let past_end = |place: &Place| {
        Finding::new(FindingId::JumpPastEnd, JUMP_PAST_END).fix(JUMP_FIX).at(locate(place))
    };
    report.problems.extend(analysis.jumps_past_end.iter().map(past_end));
}

fn nobody_can_log_in(factor: &Place) -> Finding {
    let message =
        format!("no path through the stack accepts a user with a factor; see {}", display(factor));
    let finding = Finding::new(FindingId::NobodyCanLogIn, message);
    finding.fix("correct that line, or the line that denies after it")
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

const RESTORE: &str = "restore or correct the file that is named";
const TOO_LONG: &str = "the stack is too long to check";
const JUMP_PAST_END: &str =
    "a success here jumps past the end of the stack, and libpam then denies the login";
const JUMP_FIX: &str = "shorten the jump, or add \"auth required pam_permit.so\" at the end";
