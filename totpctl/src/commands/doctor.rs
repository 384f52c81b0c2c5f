//! `totpctl doctor`: what each PAM service does, and what is wrong with it. Changes nothing.

use serde_json::{Map, Value, json};

use self::acceptance::file;
use self::door::Door;
use self::finding::{Finding, FindingId};
use self::report::Report;
use crate::cli::{Accept, Doctor, DoctorCommand};
use crate::error::Error;
use crate::terminal::output;

mod accept;
mod acceptance;
mod accounts;
mod clock;
mod confinement;
mod door;
mod explanation;
mod finding;
mod host;
mod name_services;
mod pam;
mod report;
mod rescue;
pub(super) mod selinux;
pub(super) mod sshd;
mod store;
mod sudo;
mod system;
mod users;
pub(super) mod without_factor;

pub(super) fn run(options: &Doctor, json: bool) -> Result<(), Error> {
    if let Some(id) = &options.explain {
        return explanation::print(id, json);
    }
    match &options.command {
        Some(DoctorCommand::Accept(options)) => accept(options, json),
        None if options.services.is_empty() => check_all(pam::services(), json),
        None => check_all(options.services.clone(), json),
    }
}

/// Checks these services and the host, and prints what was found.
fn check_all(names: Vec<String>, json: bool) -> Result<(), Error> {
    let (mut services, mut host) = reports(names);
    let today = jiff::Zoned::now().date();
    let acceptances = file::load().unwrap_or_else(|reason| {
        let finding = Finding::new(FindingId::AcceptancesInvalid, reason);
        host.problems.push(finding.fix("correct the file; until then no finding is accepted"));
        Vec::new()
    });
    for (service, name) in &mut services {
        service.report.apply(Some(name), &acceptances, today, &file::line_source);
    }
    host.apply(None, &acceptances, today, &file::line_source);
    let reports = || services.iter().map(|(service, _)| &service.report).chain([&host]);
    let problem_count = reports().map(|report| report.problems.len()).sum::<usize>();
    let accepted_count = reports().map(Report::accepted_count).sum::<usize>();
    let doors = services.iter().flat_map(|(service, _)| &service.doors);
    if json {
        let services: Map<String, Value> = services
            .iter()
            .map(|(service, name)| {
                let mut object = Map::from_iter([("asks".to_owned(), Value::from(service.asks))]);
                object.extend(service.report.json(Some(name)));
                (name.clone(), object.into())
            })
            .collect();
        output::json(&json!({
            "services": services, "doors": doors.map(Door::json).collect::<Value>(),
            "host": host.json(None), "problem_count": problem_count,
            "accepted_count": accepted_count,
        }))?;
    } else {
        for (service, name) in &services {
            service.report.print(name)?;
        }
        host.print("this host")?;
    }
    match problem_count {
        0 => Ok(()),
        1 => Err(Error::reported(format!("1 problem found; {EXPLAIN}"))),
        count => Err(Error::reported(format!("{count} problems found; {EXPLAIN}"))),
    }
}

/// Checks these services and the host.
fn reports(names: Vec<String>) -> (Vec<(pam::Service, String)>, Report) {
    let services: Vec<_> = names.into_iter().map(|name| (check(&name), name)).collect();
    let unenrolled = services.iter().map(|(service, name)| (name.as_str(), service.unenrolled));
    let host = host::check(&unenrolled.collect::<Vec<_>>());
    (services, host)
}

/// Accepts findings. Those of the usual services can be accepted, and those of services that are
/// named or have an acceptance.
fn accept(options: &Accept, json: bool) -> Result<(), Error> {
    let acceptances = file::load().unwrap_or_default();
    let accepted = acceptances.into_iter().filter_map(|acceptance| acceptance.service);
    let mut names = pam::services();
    for name in accepted.chain(options.place.service.clone()) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let (services, host) = reports(names);
    let mut subjects = host.subjects(None, &file::line_source);
    for (service, name) in &services {
        subjects.extend(service.report.subjects(Some(name), &file::line_source));
    }
    accept::run(options, &subjects, json)
}

/// Checks the stack of a service, and what else its program does.
fn check(name: &str) -> pam::Service {
    let mut service = pam::check(name);
    match name {
        "sshd" => service.doors = sshd::check(&mut service.report),
        "sudo" if service.asks => sudo::check(&mut service.report),
        // Enrollment by a user asks polkit, which runs this stack.
        "polkit-1" if !service.unenrolled.can_log_in() => {
            let finding = Finding::new(FindingId::EnrollBlockedByPolkit, ENROLL_BLOCKED_BY_POLKIT);
            service.report.notes.push(finding.fix(
                "have root enroll it (docs/admin/enrollment.md), or set nullok here, after a password \
                 that ends the stack when it is wrong",
            ));
        }
        _ => {}
    }
    service
}

const EXPLAIN: &str = "totpctl doctor --explain ID explains the one in brackets";
const ENROLL_BLOCKED_BY_POLKIT: &str =
    "a user without a factor cannot enroll itself, because polkit asks for a code first";
