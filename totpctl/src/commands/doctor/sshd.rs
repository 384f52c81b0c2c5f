//! The ways in by ssh, and what sshd's configuration means for the code.

use std::cell::OnceCell;

mod access;
mod assessment;
mod blocks;
mod connection;
mod effect;
mod effective;
mod listener;
mod message;
mod method;
#[cfg(test)]
mod model;
mod password;
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
use self::connection::Connection;
use self::effect::{USUAL_SERVICE, takes_password_alone};
use self::effective::Pam;
use self::question::ask;
use self::survey::Survey;
use super::door::Door;
use super::finding::{Finding, FindingId};
use super::report::Report;
use crate::accounts::Lacking;
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

/// Returns why sshd refuses root, although it lets others in by a code.
pub(crate) fn root_is_shut(read: &dyn Fn(&str) -> Option<String>) -> Option<String> {
    let mut report = Report::default();
    assess(host_survey()?, &|service| stack::facts(service, read), &mut report);
    let mut notes = report.notes.iter();
    notes.find(|note| note.id() == FindingId::SshdRootCannotLogIn).map(Finding::sentence)
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
    host_survey().map(|survey| survey.sftp_users(is_person)).unwrap_or_default()
}

/// The users who cannot log in for want of a password.
pub(super) struct ShutOut {
    pub(super) names: Vec<String>,
    /// The line that requires more than a key.
    pub(super) place: Option<(String, usize)>,
}

/// Returns those of these users without a password who cannot log in for want of one; nothing if
/// there are none. `read` returns the files of PAM.
pub(super) fn shut_without_password(
    read: &dyn Fn(&str) -> Option<String>,
    lacking: &[Lacking],
) -> Option<ShutOut> {
    let survey = host_survey()?;
    let facts = OnceCell::new();
    let facts = |service: &str| match service {
        USUAL_SERVICE => facts.get_or_init(|| stack::facts(USUAL_SERVICE, read)).clone(),
        other => stack::facts(other, read),
    };
    let ask = |user: &str| {
        let connection = Connection::usual(user, &survey.everybody.config.port);
        Some(ask(Some(&connection.argument())).ok()?.config)
    };
    // One answer takes some 20 ms.
    let lacking = lacking.get(..MAX_QUESTIONS).unwrap_or(lacking);
    let names = password::shut_out(survey, &facts, lacking, &ask);
    let place = survey.everybody.trace.place(&["AuthenticationMethods"]);
    (!names.is_empty()).then_some(ShutOut { names, place })
}

/// Returns a problem if passwords alone let users in, although the method `password` is turned off.
pub(crate) fn password_alone(read: &dyn Fn(&str) -> Option<String>) -> Option<String> {
    let config = &host_survey()?.everybody.config;
    let Pam::Service(service) = &config.pam else { return None };
    takes_password_alone(config, &stack::facts(service, read)).then(|| {
        let ask = config.ask_keyword;
        format!(
            "Passwords alone let users in by ssh now, although PasswordAuthentication is no: write {ask} no, and \
             reload sshd."
        )
    })
}

/// Returns the answers of sshd, if there is one and it answers root.
fn host_survey() -> Option<&'static Survey> {
    if program::path("sshd").is_none() || !nix::unistd::geteuid().is_root() {
        return None;
    }
    Survey::of_host().ok()
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
        Ok(survey) => {
            let doors = assess(survey, &|service| stack::facts(service, read), report);
            let asks_elsewhere = || match &survey.everybody.config.pam {
                Pam::Service(service) => stack::facts(service, read).asks,
                Pam::Off | Pam::Missing => false,
            };
            if asks || asks_elsewhere() {
                listener::check(&survey.everybody, report);
            }
            doors
        }
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

/// How many users sshd is asked about at most.
const MAX_QUESTIONS: usize = 20;
