//! What the program of a service does besides its stack.

use super::finding::{Finding, FindingId};
use super::report::Report;
use super::services::Services;
use super::sshd::missing_password::Missing;
use super::sudo::Stack;
use super::users::factors::Enrolled;
use super::{doors, selinux, sshd};
use crate::host::door::Door;
use crate::host::people::people;
use crate::host::shadow::{Password, Shadow};
use crate::host::sudo::{Sudo, allows};
use crate::pam::asking_services::asking_services;
use crate::pam::files::read;

/// Checks what the program of a service does besides its stack. Returns the ways in of sshd and
/// sudo. `enrolled` returns the enrolled users, if they are known.
pub(crate) fn check<'a>(
    name: &str,
    services: &Services,
    enrolled: &dyn Fn() -> Option<&'a Enrolled>,
    report: &mut Report,
) -> Vec<Door> {
    let service = services.get(name);
    doors::check(name, services, report);
    if service.asks {
        selinux::check_service(name, report);
    }
    for (service, sibling) in [("sudo", "sudo-i"), ("su", "su-l")] {
        let asks = |name| services.has(name) && services.get(name).asks;
        if name == service && asks(service) && asks(sibling) {
            let incomplete = enrolled().map(|enrolled| enrolled.incomplete(service, sibling));
            report.notes.extend(incomplete.into_iter().flatten());
        }
    }
    match name {
        "sshd" => return check_sshd(service.asks, enrolled, report),
        "sudo" => return check_sudo(services, enrolled, report),
        // Enrollment by a user asks polkit, which runs this stack.
        "polkit-1" if !service.unenrolled.can_log_in() => {
            let finding = Finding::new(FindingId::EnrollBlockedByPolkit, ENROLL_BLOCKED_BY_POLKIT);
            report.notes.push(finding.fix(
                "have root enroll it (docs/admin/enrollment.md), or set nullok here, after a password \
                 that ends the stack when it is wrong",
            ));
        }
        _ => {}
    }
    Vec::new()
}

/// `asks`: whether the stack of sshd asks for a code.
fn check_sshd<'a>(
    asks: bool,
    enrolled: &dyn Fn() -> Option<&'a Enrolled>,
    report: &mut Report,
) -> Vec<Door> {
    let is_enrolled = |user: &str| enrolled().is_some_and(|enrolled| enrolled.contains(user));
    if let Some(missing) = Missing::find(&read, &is_enrolled) {
        let findings = match missing.is_problem {
            true => &mut report.problems,
            false => &mut report.notes,
        };
        findings.push(missing.into_finding());
    }
    let doors = sshd::check(report);
    let root = Shadow::of_host().password_of("root");
    if matches!(root, Some(Password::Set | Password::Empty)) {
        let finding = sshd::root_by_password(&read);
        // Before any service asks, every password of this host is enough.
        match asking_services().is_empty() {
            true => report.notes.extend(finding),
            false => report.problems.extend(finding),
        }
    }
    let root_is_shut = report.notes.iter().any(|note| note.id() == FindingId::SshdRootCannotLogIn);
    let root_is_alone = || match asks {
        true => enrolled().is_some_and(root_is_alone),
        false => {
            let people = people().people;
            let names: Vec<_> = people.iter().map(|person| person.name.as_str()).collect();
            nobody_becomes_root(names.into_iter())
        }
    };
    if root_is_shut && root_is_alone() {
        report.raise(FindingId::SshdRootCannotLogIn);
    }
    doors
}

/// Reports whether root has a factor, and nobody else who has one can become root by sudo.
fn root_is_alone(enrolled: &Enrolled) -> bool {
    enrolled.contains("root") && nobody_becomes_root(enrolled.names())
}

/// Reports whether none of these users other than root can become root by sudo.
fn nobody_becomes_root<'a>(names: impl Iterator<Item = &'a str>) -> bool {
    let mut others = names.filter(|name| *name != "root").take(MAX_QUESTIONS);
    others.all(|name| !allows(name))
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
            skips_unenrolled: service.unenrolled.can_log_in(),
            enrolls: service.options.iter().any(|option| option == "enroll"),
        }
    };
    let is_enrolled = |user: &str| enrolled().map(|enrolled| enrolled.contains(user));
    sudo.check(&stack, &is_enrolled, report);
    sudo.doors(&stack, &is_enrolled)
}

/// How many users sudo is asked about at most.
const MAX_QUESTIONS: usize = 20;
const ENROLL_BLOCKED_BY_POLKIT: &str =
    "a user without a factor cannot enroll itself, because polkit asks for a code first";
