//! `totpctl doctor`: what each PAM service does, and what is wrong with it. Changes nothing.

use serde_json::{Map, Value, json};

use self::door::Door;
use self::finding::FindingId;
use crate::error::Error;
use crate::terminal::output;

mod accounts;
mod clock;
mod confinement;
mod door;
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
pub(super) mod users;

pub(super) fn run(services: &[String], json: bool) -> Result<(), Error> {
    let names = if services.is_empty() { pam::services() } else { services.to_vec() };
    let services: Vec<_> = names.into_iter().map(|name| (check(&name), name)).collect();
    let denies_unenrolled =
        services.iter().any(|(service, _)| service.asks && !service.skips_unenrolled);
    let host = host::check(denies_unenrolled);
    let reports = services.iter().map(|(service, _)| &service.report).chain([&host]);
    let problem_count = reports.map(|report| report.problems.len()).sum::<usize>();
    let doors = services.iter().flat_map(|(service, _)| &service.doors);
    if json {
        let services: Map<String, Value> = services
            .iter()
            .map(|(service, name)| {
                let mut object = Map::from_iter([("asks".to_owned(), Value::from(service.asks))]);
                object.extend(service.report.json());
                (name.clone(), object.into())
            })
            .collect();
        output::json(&json!({
            "services": services, "doors": doors.map(Door::json).collect::<Value>(),
            "host": host.json(), "problem_count": problem_count,
        }))?;
    } else {
        for (service, name) in &services {
            service.report.print(name)?;
        }
        host.print("this host")?;
    }
    match problem_count {
        0 => Ok(()),
        1 => Err(Error::refused("1 problem found")),
        count => Err(Error::refused(format!("{count} problems found"))),
    }
}

/// Checks the stack of a service, and what else its program does.
fn check(name: &str) -> pam::Service {
    let mut service = pam::check(name);
    match name {
        "sshd" => service.doors = sshd::check(&mut service.report),
        "sudo" if service.asks => sudo::check(&mut service.report),
        // Enrollment by a user asks polkit, which runs this stack.
        "polkit-1" if service.asks && !service.skips_unenrolled => {
            service.report.note(FindingId::EnrollBlockedByPolkit, ENROLL_BLOCKED_BY_POLKIT);
        }
        _ => {}
    }
    service
}

const ENROLL_BLOCKED_BY_POLKIT: &str = "a user without a factor cannot enroll itself, because polkit asks for a code \
                                        first; have root enroll it (docs/admin/enrollment.md), or set nullok here, after a \
                                        password that ends the stack when it is wrong";
