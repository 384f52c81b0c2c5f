//! The ways in by ssh, and what sshd's configuration means for the code.

mod collection;
mod doors;
mod message;
pub(crate) mod missing_password;
mod reload;
mod roll_out;
mod root_password;
#[cfg(test)]
mod tests;
mod uncounted_lists;

use self::collection::{collect, passwords_alone};
use self::doors::unknown_door;
use super::finding::{Finding, FindingId};
use super::report::Report;
use crate::host::door::{CodeNeed, Door};
use crate::host::sshd::case::Case;
use crate::host::sshd::config::blocks::Block;
use crate::host::sshd::config::effective::{Effective, RootLogin, USUAL_SERVICE};
use crate::host::sshd::host_survey;
use crate::host::sshd::launch::Launch;
use crate::host::sshd::launch::command_line::CommandLine;
use crate::host::sshd::launch::starter::Starter;
use crate::host::sshd::question::Failure;
use crate::host::sshd::survey::Survey;
use crate::host::sshd::ways::stack;
use crate::pam::files::read;
use crate::program;
use crate::sshd_drop_in::change as drop_in;
use crate::sshd_drop_in::content::FILE;

/// Adds what keeps sshd from asking for a code, if its stack asks. Returns the ways in.
pub(crate) fn check(report: &mut Report) -> Vec<Door> {
    check_with(&read, report)
}

/// Returns why sshd cannot ask for a code, if so. `read` returns the files of PAM, as they will be.
pub(crate) fn problems(read: &dyn Fn(&str) -> Option<String>) -> Option<String> {
    let mut report = Report::default();
    check_with(read, &mut report);
    // For some machines that is meant, and the change asks about it.
    let is_meant = |id| id == FindingId::SshdCodeAlone || GUARD_ENDS_LOGINS.contains(&id);
    let is_fault = |problem: &&Finding| !is_meant(problem.id());
    let problems: Vec<_> = report.problems.iter().filter(is_fault).map(Finding::sentence).collect();
    (!problems.is_empty()).then(|| problems.join("; "))
}

/// Returns why sshd refuses root, although it lets others in by a code.
pub(crate) fn root_is_shut(read: &dyn Fn(&str) -> Option<String>) -> Option<String> {
    let mut report = Report::default();
    collect(host_survey()?, &|service| stack::facts(service, read), &mut report);
    let mut notes = report.notes.iter();
    notes.find(|note| note.id() == FindingId::SshdRootCannotLogIn).map(Finding::sentence)
}

/// Reports whether root gets in nowhere by ssh with a code, because sshd refuses it.
pub(crate) fn refuses_root(read: &dyn Fn(&str) -> Option<String>) -> bool {
    let is_off = |case: &Case| case.config.root == RootLogin::No;
    let is_off_everywhere = |survey: &Survey| {
        let of_blocks = survey
            .blocks
            .iter()
            .all(|(_, cases)| cases.as_ref().is_ok_and(|cases| cases.root.iter().all(is_off)));
        survey.root.as_ref().is_ok_and(is_off) && of_blocks
    };
    host_survey().is_some_and(is_off_everywhere) || root_is_shut(read).is_some()
}

/// Returns the finding that root logs in by a password alone, if so, for root. `read` returns the
/// files of PAM.
pub(super) fn root_by_password(read: &dyn Fn(&str) -> Option<String>) -> Option<Finding> {
    let stack_of = |config: &Effective| stack::facts(config.pam.service(), read);
    root_password::finding(host_survey()?, &stack_of)
}

/// Returns what may surprise those who log in by ssh once its stack asks for a code, each with the
/// change to make, for root. `read` returns the files of PAM, as they will be.
pub(crate) fn surprises(read: &dyn Fn(&str) -> Option<String>) -> Vec<String> {
    let is_one =
        |id| matches!(id, FindingId::SshdPasswordCannotAnswer | FindingId::SshdRootCannotLogIn);
    sentences(read, &is_one)
}

/// Returns the problem that a code alone lets users in by ssh, if so, for root. `read` returns the
/// files of PAM, as they will be.
pub(crate) fn code_alone(read: &dyn Fn(&str) -> Option<String>) -> Option<String> {
    sentences(read, &|id| id == FindingId::SshdCodeAlone).into_iter().next()
}

/// Returns the problem that a guard ends the logins of clients with a key, if so, for root. `read`
/// returns the files of PAM, as they will be.
pub(crate) fn guard_ends_logins(read: &dyn Fn(&str) -> Option<String>) -> Option<String> {
    sentences(read, &|id| GUARD_ENDS_LOGINS.contains(&id)).into_iter().next()
}

/// For all users, and in a block.
const GUARD_ENDS_LOGINS: [FindingId; 2] =
    [FindingId::SshdGuardEndsLogins, FindingId::SshdMatchGuardEndsLogins];

/// Returns the findings of these kinds, each as a sentence.
fn sentences(
    read: &dyn Fn(&str) -> Option<String>,
    is_one: &dyn Fn(FindingId) -> bool,
) -> Vec<String> {
    let Some(survey) = host_survey() else { return Vec::new() };
    let mut report = Report::default();
    collect(survey, &|service| stack::facts(service, read), &mut report);
    explain_lists(survey, &mut report);
    let found = report.problems.iter().chain(&report.notes);
    found.filter(|finding| is_one(finding.id())).map(Finding::sentence).collect()
}

/// Says at the findings on a key or a code alone why a line of `AuthenticationMethods` does not
/// count.
fn explain_lists(survey: &Survey, report: &mut Report) {
    let ids =
        [FindingId::SshdCodeAlone, FindingId::SshdKeyAlone, FindingId::SshdMethodsWithoutCode];
    let has_one =
        report.problems.iter().chain(&report.notes).any(|found| ids.contains(&found.id()));
    if let Some(reason) = has_one.then(|| uncounted_lists::reason(&survey.everybody)).flatten() {
        report.annotate(&ids, &reason);
    }
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

/// Reports whether one of these ways in by ssh needs no code of the PAM service sshd, or may not.
pub(crate) fn has_other_way(doors: &[Door]) -> bool {
    let is_other = |door: &Door| match &door.code {
        CodeNeed::NotAsked | CodeNeed::Unknown(_) => true,
        CodeNeed::Asked => door.service.as_deref().is_some_and(|name| name != USUAL_SERVICE),
        CodeNeed::Unanswerable(_) | CodeNeed::Closed(_) => false,
    };
    doors.iter().any(|door| door.name.starts_with("ssh") && is_other(door))
}

/// Returns the ways in by ssh, for root. `read` returns the files of PAM, as they will be.
pub(crate) fn ways_in(read: &dyn Fn(&str) -> Option<String>) -> Vec<Door> {
    check_with(read, &mut Report::default())
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
        return vec![unknown_door(None, reason.into())];
    }
    match Survey::of_host() {
        Ok(survey) => {
            let doors = collect(survey, &|service| stack::facts(service, read), report);
            explain_lists(survey, report);
            let used = stack::facts(survey.everybody.config.pam.service(), read);
            let asks = asks || used.asks;
            reload::check(&survey.everybody, &used, asks, report);
            if !asks && drop_in::is_own() {
                report.notes.push(left_finding());
            }
            if asks {
                let launch = Launch::of_host();
                report.notes.extend(launch.others.iter().map(not_checked_finding));
                report.notes.extend(launch.starters.iter().map(starter_finding));
            }
            doors
        }
        Err(failure) => {
            // Without the configuration, nobody knows whether another service of PAM asks. With one
            // that sshd rejects, nobody can log in after its next start.
            match asks || failure.is_invalid {
                true => report.problems.push(unreadable_finding(failure)),
                false => report.notes.push(unreadable_finding(failure)),
            }
            vec![unknown_door(None, failure.message.clone())]
        }
    }
}

/// Returns the note for the lines that totpctl wrote for a code that nobody is asked for.
fn left_finding() -> Finding {
    let message = "totpctl wrote this file so that sshd can ask for a code, and sshd asks for none";
    let finding = Finding::new(FindingId::SshdLinesLeft, message);
    finding.fix("remove it with totpctl disable sshd").in_file(FILE)
}

/// Returns the note for an sshd that listens, and is not the one that was asked.
fn not_checked_finding(other: &CommandLine) -> Finding {
    let command = other.text();
    let message = format!("another sshd listens, and its configuration is not checked: {command}");
    let fix = format!("see what it does for its users: {command} -T");
    Finding::new(FindingId::SshdNotChecked, message).fix(fix)
}

/// Returns the note for what starts an sshd with options of its own.
fn starter_finding(Starter { file, line }: &Starter) -> Finding {
    let command = line.text();
    let message =
        format!("this starts another sshd, whose configuration is not checked: {command}");
    let fix = format!("see what it does for its users: {command} -T");
    Finding::new(FindingId::SshdNotChecked, message).fix(fix).in_file(file)
}

/// Returns the finding for a configuration that cannot be read at all.
fn unreadable_finding(failure: &Failure) -> Finding {
    let finding = Finding::new(FindingId::SshdConfigUnreadable, failure.message.as_str());
    let finding = match &failure.place {
        Some(place) => finding.at(place.clone()),
        None => finding,
    };
    match &failure.fix {
        Some(fix) => finding.fix(fix.as_str()),
        None => finding,
    }
}

/// Returns the ways in by ssh that ask for no code, each as a phrase, for root. `read` returns the
/// files of PAM, as they will be.
pub(crate) fn ssh_without_code(read: &dyn Fn(&str) -> Option<String>) -> Vec<String> {
    let doors = ways_in(read).into_iter();
    let open = doors.filter(|door| door.code == CodeNeed::NotAsked);
    let phrase = |door: Door| {
        let methods = door.name.strip_prefix("ssh, ").unwrap_or(&door.name).to_owned();
        door.who.map_or(methods.clone(), |who| format!("{methods} ({who})"))
    };
    open.map(phrase).collect()
}
