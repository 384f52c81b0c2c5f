//! `totpctl doctor`: what each PAM service and each way in does, and what is wrong with it. Changes
//! nothing.

use std::cell::LazyCell;

use serde_json::{Map, Value, json};

use self::door::Door;
use self::factors::Enrolled;
use self::finding::FindingId;
use self::report::Report;
use self::services::Services;
use self::sudo::Stack;
use self::sudo_host::Sudo;
use crate::error::Error;
use crate::terminal::output;

mod accounts;
mod automatic_login;
mod confinement;
mod door;
mod doors;
mod factors;
mod finding;
mod host;
mod known_doors;
mod name_services;
mod pam;
mod report;
mod services;
mod skipped;
pub(super) mod sshd;
mod stack_code;
mod sudo;
mod sudo_asks;
mod sudo_host;
mod sudoers;
mod system;
mod unenrolled;
pub(super) mod users;

pub(super) fn run(named: &[String], json: bool) -> Result<(), Error> {
    let services = Services::default();
    let names = if named.is_empty() { services.usual() } else { named.to_vec() };
    let enrolled = LazyCell::new(Enrolled::list);
    let mut doors = Vec::new();
    let mut reports = Vec::new();
    for name in names {
        let mut report = services.take_report(&name);
        doors.extend(check(&name, &services, &|| enrolled.as_ref(), &mut report));
        reports.push((name, report));
    }
    let is_wanted = |service: &str| named.is_empty() || named.iter().any(|name| name == service);
    doors.extend(doors::doors(&services, &is_wanted));
    if named.is_empty() {
        doors.extend(doors::automatic());
    }
    let denies_unenrolled = reports.iter().any(|(name, _)| {
        let service = services.get(name);
        service.asks && !service.skips_unenrolled
    });
    let host = host::check(denies_unenrolled);
    let all = reports.iter().map(|(_, report)| report).chain([&host]);
    let problem_count = all.map(|report| report.problems.len()).sum::<usize>();
    if json {
        let services: Map<String, Value> = reports
            .iter()
            .map(|(name, report)| {
                let asks = services.get(name).asks;
                let mut object = Map::from_iter([("asks".to_owned(), Value::from(asks))]);
                object.extend(report.json());
                (name.clone(), object.into())
            })
            .collect();
        let doors: Value = doors.iter().map(Door::json).collect();
        output::json(&json!({
            "services": services, "doors": doors, "host": host.json(), "problem_count": problem_count,
        }))?;
    } else {
        for (name, report) in &reports {
            report.print(name)?;
        }
        if !doors.is_empty() {
            output::data(&doors::text(&doors))?;
        }
        host.print("this host")?;
    }
    match problem_count {
        0 => Ok(()),
        1 => Err(Error::refused("1 problem found")),
        count => Err(Error::refused(format!("{count} problems found"))),
    }
}

/// Checks what the program of a service does besides its stack. Returns the ways in of sshd and
/// sudo. `enrolled` returns the enrolled users, if they are known.
fn check<'a>(
    name: &str,
    services: &Services,
    enrolled: &dyn Fn() -> Option<&'a Enrolled>,
    report: &mut Report,
) -> Vec<Door> {
    let service = services.get(name);
    doors::check(name, services, report);
    for (service, sibling) in [("sudo", "sudo-i"), ("su", "su-l")] {
        let asks = |name| services.has(name) && services.get(name).asks;
        if name == service && asks(service) && asks(sibling) {
            let incomplete = enrolled().map(|enrolled| enrolled.incomplete(service, sibling));
            report.notes.extend(incomplete.into_iter().flatten());
        }
    }
    match name {
        "sshd" => return sshd::check(report),
        "sudo" => return check_sudo(services, enrolled, report),
        // Enrollment by a user asks polkit, which runs this stack.
        "polkit-1" if service.asks && !service.skips_unenrolled => {
            report.note(FindingId::EnrollBlockedByPolkit, ENROLL_BLOCKED_BY_POLKIT);
        }
        _ => {}
    }
    Vec::new()
}

fn check_sudo<'a>(
    services: &Services,
    enrolled: &dyn Fn() -> Option<&'a Enrolled>,
    report: &mut Report,
) -> Vec<Door> {
    let Some(sudo) = Sudo::look(&|name| services.has(name)) else { return Vec::new() };
    let stack = |name: &str| {
        let service = services.get(name);
        Stack {
            code: service.code.clone(),
            exceptions: service.exceptions.clone(),
            skips_unenrolled: service.skips_unenrolled,
        }
    };
    let is_enrolled = |user: &str| enrolled().map(|enrolled| enrolled.contains(user));
    sudo.check(&stack, &is_enrolled, report);
    sudo.doors(&stack, &is_enrolled)
}

const ENROLL_BLOCKED_BY_POLKIT: &str = "a user without a factor cannot enroll itself, because polkit asks for a code \
                                        first; have root enroll it (docs/admin/enrollment.md), or set nullok here, after a \
                                        password that ends the stack when it is wrong";
