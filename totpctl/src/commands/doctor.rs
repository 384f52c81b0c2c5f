//! `totpctl doctor`: what each PAM service and each way in does, and what is wrong with it.
//!
//! Changes nothing, except that it has systemd start the daemon, as a login would, and creates
//! `/run/sshd`, without which `sshd -T` fails.

mod accept;
mod acceptance;
mod explanation;
mod report;

use std::cell::LazyCell;

use self::acceptance::file;
use self::report::{Judged, Page, ServiceReport, subjects};
use crate::cli::{Accept, Doctor, DoctorCommand};
use crate::error::Error;
use crate::findings::doors;
use crate::findings::finding::{Finding, FindingId};
use crate::findings::host;
use crate::findings::programs::check;
use crate::findings::report::Report;
use crate::findings::rules::doors::Stack;
use crate::findings::rules::in_force::RulesInForce;
use crate::findings::services::Services;
use crate::findings::users::factors::Enrolled;
use crate::findings::users::without_factor::OtherWays;
use crate::findings::{sshd, sudo};
use crate::host::door::{CodeNeed, Door};
use crate::terminal::output;

/// All that was found.
struct Findings {
    services: Services,
    /// The reports on services, by their names.
    reports: Vec<(String, Report)>,
    doors: Vec<Door>,
    host: Report,
    /// The rules in force, if the daemon tells them.
    rules: Option<RulesInForce>,
}

pub(super) fn run(options: &Doctor, json: bool) -> Result<(), Error> {
    if let Some(id) = &options.explain {
        return explanation::print(id, json);
    }
    match &options.command {
        Some(DoctorCommand::Accept(options)) => accept(options, json),
        None => check_all(&options.services, json),
    }
}

/// Checks these services and the host, and prints what was found. Without names, checks the usual
/// services, and lists all ways in.
fn check_all(named: &[String], json: bool) -> Result<(), Error> {
    let services = Services::default();
    services.check_names(named)?;
    let names = if named.is_empty() { services.usual() } else { named.to_vec() };
    let Findings { services, reports, mut doors, mut host, rules } = find(services, names);
    let is_wanted = |service: &str| named.is_empty() || named.iter().any(|name| name == service);
    doors.extend(doors::doors(&services, &is_wanted));
    if named.is_empty() {
        doors.extend(doors::automatic(&services));
    }
    if let Some(rules) = rules {
        rules.tell_doors(&|service| rule_stack(&services, service), &mut doors);
    }
    let today = jiff::Zoned::now().date();
    let acceptances = file::load().unwrap_or_else(|reason| {
        let finding = Finding::new(FindingId::AcceptancesInvalid, reason);
        host.problems.push(finding.fix("correct the file; until then no finding is accepted"));
        Vec::new()
    });
    let judge = |service: Option<&str>, report: Report| {
        Judged::new(report, service, &acceptances, today, &file::line_source)
    };
    let reports = reports.into_iter().map(|(name, report)| {
        let asks = services.get(&name).asks;
        ServiceReport { judged: judge(Some(&name), report), name, asks }
    });
    let page = Page { services: reports.collect(), doors, host: judge(None, host) };
    let problem_count = page.problem_count();
    match json {
        true => output::json(&page.json())?,
        false => page.print()?,
    }
    match problem_count {
        0 => Ok(()),
        1 => Err(Error::reported(format!("1 problem found; {EXPLAIN}"))),
        count => Err(Error::reported(format!("{count} problems found; {EXPLAIN}"))),
    }
}

/// Checks these services and the host. The ways in are those of sshd and sudo, if they are named.
fn find(services: Services, names: Vec<String>) -> Findings {
    let enrolled = LazyCell::new(Enrolled::list);
    let (mut doors, mut reports) = (Vec::new(), Vec::new());
    for name in names {
        let mut report = services.take_report(&name);
        doors.extend(check(&name, &services, &|| enrolled.as_ref(), &mut report));
        reports.push((name, report));
    }
    let unenrolled: Vec<_> = reports
        .iter()
        .map(|(name, _): &(String, Report)| (name.as_str(), services.get(name).unenrolled))
        .collect();
    let open = doors.iter().filter(|door| door.who.is_none() && door.code == CodeNeed::NotAsked);
    let open: Vec<_> = open.filter_map(|door| door.name.strip_prefix("ssh, ")).collect();
    let has_one = |service: &str| match service {
        "sshd" => sshd::has_other_way(&doors),
        "sudo" | "sudo-i" => sudo::sudo_has_other_way(),
        _ => false,
    };
    let of_ssh = doors.iter().filter_map(|door| door.service.as_deref());
    let mut at: Vec<_> = unenrolled.iter().map(|(name, _)| *name).chain(of_ssh).collect();
    at.retain(|name| {
        let stack = rule_stack(&services, name);
        stack.asks || stack.is_guarded
    });
    at.sort_unstable();
    at.dedup();
    let at: Vec<_> =
        at.into_iter().map(|name| (name, !services.get(name).lets_nobody_by)).collect();
    let (host, rules) = host::check(&unenrolled, &at, &OtherWays { open, has_one: &has_one });
    if let Some(rules) = &rules {
        for (name, report) in &mut reports {
            rules.tell_service(name, rule_stack(&services, name), report);
        }
    }
    Findings { services, reports, doors, host, rules }
}

/// Returns what rules have to know of the stack of a service.
fn rule_stack(services: &Services, name: &str) -> Stack {
    let service = services.get(name);
    let (asks, is_guarded) = (service.asks, service.is_guarded);
    Stack { asks, is_guarded, lets_nobody_by: service.lets_nobody_by }
}

/// Accepts findings. Those of the usual services can be accepted, and those of services that are
/// named or have an acceptance.
fn accept(options: &Accept, json: bool) -> Result<(), Error> {
    let acceptances = file::load().unwrap_or_default();
    let accepted = acceptances.into_iter().filter_map(|acceptance| acceptance.service);
    let services = Services::default();
    if !options.list && options.remove.is_empty() {
        services.check_names(options.place.service.as_slice())?;
    }
    let mut names = services.usual();
    for name in accepted.chain(options.place.service.clone()) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let found = find(services, names);
    let mut all = subjects(&found.host, None, &file::line_source);
    for (name, report) in &found.reports {
        all.extend(subjects(report, Some(name), &file::line_source));
    }
    accept::run(options, &all, json)
}

const EXPLAIN: &str = "totpctl doctor --explain ID explains the one in brackets";
