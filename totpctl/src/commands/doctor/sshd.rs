//! The ways in by ssh, and what sshd's configuration means for the code.

use std::cell::OnceCell;

mod access;
mod assessment;
mod blocks;
mod case;
mod class;
mod command_line;
mod connection;
mod criteria;
mod effect;
mod effective;
mod interview;
mod launch;
mod listener;
mod message;
mod method;
#[cfg(test)]
mod model;
mod password;
pub(super) mod pattern;
mod places;
mod process;
mod question;
mod quoted_words;
mod rest;
mod socket;
mod stack;
mod starter;
mod survey;
#[cfg(test)]
mod tests;
mod trace;
mod uncounted;
mod unit_file;
mod user_class;
mod way;

use std::collections::BTreeSet;

use self::assessment::{assess, pam_is_nowhere_first, passwords_alone, unknown};
use self::blocks::Block;
use self::command_line::CommandLine;
use self::connection::Connection;
use self::effective::{Effective, Pam, USUAL_SERVICE};
use self::launch::Launch;
use self::question::ask;
use self::starter::Starter;
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
    // For some machines that is meant, and the message of the change has it.
    let is_fault = |problem: &&Finding| problem.id() != FindingId::SshdCodeAlone;
    let problems: Vec<_> = report.problems.iter().filter(is_fault).map(Finding::sentence).collect();
    (!problems.is_empty()).then(|| problems.join("; "))
}

/// Returns why sshd refuses root, although it lets others in by a code.
pub(crate) fn root_is_shut(read: &dyn Fn(&str) -> Option<String>) -> Option<String> {
    let mut report = Report::default();
    assess(host_survey()?, &|service| stack::facts(service, read), &mut report);
    let mut notes = report.notes.iter();
    notes.find(|note| note.id() == FindingId::SshdRootCannotLogIn).map(Finding::sentence)
}

/// Returns what may surprise those who log in by ssh once its stack asks for a code, each with the
/// change to make, for root. `read` returns the files of PAM, as they will be.
pub(crate) fn surprises(read: &dyn Fn(&str) -> Option<String>) -> Vec<String> {
    let Some(survey) = host_survey() else { return Vec::new() };
    let mut report = Report::default();
    assess(survey, &|service| stack::facts(service, read), &mut report);
    explain_lists(survey, &mut report);
    let is_one = |finding: &&Finding| {
        matches!(
            finding.id(),
            FindingId::SshdCodeAlone
                | FindingId::SshdPasswordCannotAnswer
                | FindingId::SshdRootCannotLogIn
        )
    };
    report.problems.iter().chain(&report.notes).filter(is_one).map(Finding::sentence).collect()
}

/// Returns the port for a login by ssh, if it is not the usual one, for root. A socket of systemd
/// has a port of its own.
pub(crate) fn unusual_port() -> Option<String> {
    let of_config = || Some(host_survey()?.everybody.config.listening.ports.clone());
    let ports = socket::ports().filter(|ports| !ports.is_empty()).or_else(of_config)?;
    let is_usual = ports.iter().any(|port| port == USUAL_PORT);
    ports.into_iter().next().filter(|_| !is_usual)
}

/// Says at the findings on a key or a code alone why a line of `AuthenticationMethods` does not
/// count.
fn explain_lists(survey: &Survey, report: &mut Report) {
    let ids =
        [FindingId::SshdCodeAlone, FindingId::SshdKeyAlone, FindingId::SshdMethodsWithoutCode];
    let has_one =
        report.problems.iter().chain(&report.notes).any(|found| ids.contains(&found.id()));
    if let Some(reason) = has_one.then(|| uncounted::reason(&survey.everybody)).flatten() {
        report.annotate(&ids, &reason);
    }
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

/// Reports whether sshd uses a PAM service for anybody, for root.
pub(super) fn uses_service(service: &str) -> bool {
    let configs = host_survey().map(Survey::configs).unwrap_or_default();
    configs.into_iter().flatten().any(|config| config.pam == Pam::Service(service.to_owned()))
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
        let ports = &survey.everybody.config.listening.ports;
        let connection = Connection::usual(user, ports.first()?);
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
    let survey = host_survey()?;
    let stack_of = |config: &Effective| stack::facts(config.pam.service(), read);
    let places = passwords_alone(survey, &stack_of);
    let where_to = |(block, _): &(&Block, &Effective)| format!(" in Match {}", block.criteria());
    let blocks: Vec<_> = places.iter().flatten().map(where_to).collect();
    let ask = survey.everybody.config.ask_keyword;
    (!places.is_empty()).then(|| {
        format!(
            "Passwords alone let users in by ssh now{place}, although PasswordAuthentication is no: write {ask} \
             no{place}, and reload sshd.",
            place = blocks.join(" and")
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
            explain_lists(survey, report);
            let used = stack::facts(survey.everybody.config.pam.service(), read);
            let asks = asks || used.asks;
            listener::check(&survey.everybody, &used, asks, report);
            if asks {
                report.notes.extend(Launch::of_host().others.iter().map(not_checked));
                report.notes.extend(Launch::of_host().starters.iter().map(not_checked_starter));
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

/// Returns the note for an sshd that listens, and is not the one that was asked.
fn not_checked(other: &CommandLine) -> Finding {
    let command = other.text();
    let message = format!("another sshd listens, and its configuration is not checked: {command}");
    let fix = format!("see what it does for its users: {command} -T");
    Finding::new(FindingId::SshdNotChecked, message).fix(fix)
}

/// Returns the note for what starts an sshd with options of its own.
fn not_checked_starter(Starter { file, line }: &Starter) -> Finding {
    let command = line.text();
    let message =
        format!("this starts another sshd, whose configuration is not checked: {command}");
    let fix = format!("see what it does for its users: {command} -T");
    Finding::new(FindingId::SshdNotChecked, message).fix(fix).in_file(file)
}

const USUAL_PORT: &str = "22";
/// How many users sshd is asked about at most.
const MAX_QUESTIONS: usize = 20;
