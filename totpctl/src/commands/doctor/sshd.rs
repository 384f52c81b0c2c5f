//! The ways in by ssh, and what sshd's configuration means for the code.

mod access;
mod assessment;
mod blocks;
mod connection;
mod effect;
mod effective;
mod message;
mod method;
#[cfg(test)]
mod model;
pub(super) mod pattern;
mod question;
mod stack;
mod survey;
#[cfg(test)]
mod tests;
mod trace;
mod way;

use std::collections::BTreeSet;

use self::assessment::{assess, pam_is_nowhere_first, unknown};
use self::effect::USUAL_SERVICE;
use self::survey::Survey;
use super::door::Door;
use super::finding::{Finding, FindingId};
use super::report::Report;
use crate::pam::files::read;
use crate::program;

/// Adds what keeps sshd from asking for a code, if its stack asks. Returns the ways in.
pub(super) fn check(report: &mut Report) -> Vec<Door> {
    check_with(&read, report)
}

/// Returns why sshd cannot ask for a code, if so. `read` returns the files of PAM, as they will be.
pub(crate) fn problems(read: &dyn Fn(&str) -> Option<String>) -> Option<String> {
    let mut report = Report::default();
    check_with(read, &mut report);
    let problems: Vec<_> = report.problems.iter().map(Finding::sentence).collect();
    (!problems.is_empty()).then(|| problems.join("; "))
}

/// Reports whether the program of a service requires a key, a ticket or a trusted host before every
/// use of PAM. Only sshd can; `None` if its configuration is not known.
pub(crate) fn requires_other_method(service: &str) -> Option<bool> {
    if service != "sshd" || program::path("sshd").is_none() {
        return Some(false);
    }
    if !nix::unistd::geteuid().is_root() {
        return None;
    }
    pam_is_nowhere_first(Survey::of_host().ok()?)
}

/// Returns the lists of `AuthenticationMethods` that use PAM, each once, for root.
pub(crate) fn lists_with_pam() -> Vec<String> {
    if program::path("sshd").is_none() || !nix::unistd::geteuid().is_root() {
        return Vec::new();
    }
    let Ok(survey) = Survey::of_host() else { return Vec::new() };
    let lists = survey.configs().into_iter().flatten().filter_map(|config| config.lists.as_ref());
    let uses_pam = |list: &&String| {
        let methods = list.split(',').map(|word| word.split(':').next().unwrap_or_default());
        methods.into_iter().any(|method| method == "keyboard-interactive")
    };
    let lists: BTreeSet<_> = lists.flatten().filter(uses_pam).cloned().collect();
    lists.into_iter().collect()
}

/// Returns the local users who transfer files without a shell, each with the block that lets them.
/// `is_person` reports whether a uid is that of a person.
pub(super) fn sftp_users(is_person: impl Fn(u32) -> bool) -> Vec<(String, Option<String>)> {
    if program::path("sshd").is_none() || !nix::unistd::geteuid().is_root() {
        return Vec::new();
    }
    Survey::of_host().map(|survey| survey.sftp_users(is_person)).unwrap_or_default()
}

fn check_with(read: &dyn Fn(&str) -> Option<String>, report: &mut Report) -> Vec<Door> {
    if program::path("sshd").is_none() {
        return Vec::new();
    }
    let asks = stack::facts(USUAL_SERVICE, read).asks;
    if !nix::unistd::geteuid().is_root() {
        let reason = "only root can read the configuration of sshd";
        if asks {
            let message = format!("the configuration of sshd is not checked: {reason}");
            let finding = Finding::new(FindingId::SshdNotChecked, message);
            report.notes.push(finding.fix("run doctor as root"));
        }
        return vec![unknown(None, reason.into())];
    }
    match Survey::of_host() {
        Ok(survey) => assess(survey, &|service| stack::facts(service, read), report),
        Err(failure) => {
            // Without the configuration, nobody knows whether another service of PAM asks.
            match asks {
                true => report.problems.push(failure.finding()),
                false => report.notes.push(failure.finding()),
            }
            vec![unknown(None, failure.message.clone())]
        }
    }
}
