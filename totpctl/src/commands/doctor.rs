//! `totpctl doctor`: what each PAM service and each way in does, and what is wrong with it.
//!
//! Changes nothing, except that it has systemd start the daemon, as a login would, and creates
//! `/run/sshd`, without which `sshd -T` fails.

use std::cell::LazyCell;

use serde_json::{Map, Value, json};

use self::acceptance::file;
use self::door::{Code, Door};
pub(super) use self::doors::services_without_file;
use self::factors::Enrolled;
use self::finding::{Finding, FindingId};
pub(super) use self::known_doors::has_one_prompt;
use self::passwords::Missing;
use self::report::Report;
use self::services::Services;
use self::sudo::Stack;
use self::sudo_host::Sudo;
use crate::accounts::with_locked_password;
use crate::cli::{Accept, Doctor, DoctorCommand};
use crate::error::Error;
use crate::pam::files::{path_of, read};
use crate::terminal::output;

mod accept;
mod acceptance;
mod activation;
mod automatic_login;
mod clock;
mod confinement;
mod doas;
mod door;
mod doors;
mod explanation;
pub(super) mod factor_holder;
mod factors;
mod finding;
mod getty;
mod greeters;
mod host;
mod key_file;
mod known_doors;
mod missing_module;
mod module_lines;
pub(super) mod never_asking;
mod pam;
pub(super) mod passwords;
mod polkit_actions;
mod polkit_rules;
mod report;
mod rescue;
mod script;
mod second_line;
pub(super) mod selinux;
mod services;
mod skipped;
pub(super) mod sshd;
mod stack_code;
mod store;
mod sudo;
mod sudo_asks;
mod sudo_credentials;
mod sudo_host;
mod sudo_memory;
mod sudo_other;
mod sudo_phrases;
mod sudo_plugins;
mod sudo_services;
mod sudo_tries;
mod sudoers;
mod system;
mod unenrolled;
mod users;
pub(super) mod without_factor;

/// All that was found.
struct Findings {
    services: Services,
    /// The reports on services, by their names.
    reports: Vec<(String, Report)>,
    doors: Vec<Door>,
    host: Report,
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
    let mut found = find(services, names);
    let is_wanted = |service: &str| named.is_empty() || named.iter().any(|name| name == service);
    found.doors.extend(doors::doors(&found.services, &is_wanted));
    if named.is_empty() {
        found.doors.extend(doors::automatic());
    }
    let today = jiff::Zoned::now().date();
    let acceptances = file::load().unwrap_or_else(|reason| {
        let finding = Finding::new(FindingId::AcceptancesInvalid, reason);
        found
            .host
            .problems
            .push(finding.fix("correct the file; until then no finding is accepted"));
        Vec::new()
    });
    for (name, report) in &mut found.reports {
        report.apply(Some(name), &acceptances, today, &file::line_source);
    }
    found.host.apply(None, &acceptances, today, &file::line_source);
    let reports = || found.reports.iter().map(|(_, report)| report).chain([&found.host]);
    let problem_count = reports().map(|report| report.problems.len()).sum::<usize>();
    if json {
        let accepted_count = reports().map(Report::accepted_count).sum::<usize>();
        output::json(&found.json(problem_count, accepted_count))?;
    } else {
        found.print()?;
    }
    match problem_count {
        0 => Ok(()),
        1 => Err(Error::reported(format!("1 problem found; {EXPLAIN}"))),
        count => Err(Error::reported(format!("{count} problems found; {EXPLAIN}"))),
    }
}

impl Findings {
    fn json(&self, problem_count: usize, accepted_count: usize) -> Value {
        let services: Map<String, Value> = self
            .reports
            .iter()
            .map(|(name, report)| {
                let asks = self.services.get(name).asks;
                let mut object = Map::from_iter([("asks".to_owned(), Value::from(asks))]);
                object.extend(report.json(Some(name)));
                (name.clone(), object.into())
            })
            .collect();
        json!({
            "services": services, "doors": self.doors.iter().map(Door::json).collect::<Value>(),
            "host": self.host.json(None), "problem_count": problem_count,
            "accepted_count": accepted_count,
        })
    }

    fn print(&self) -> Result<(), Error> {
        for (name, report) in &self.reports {
            report.print(name)?;
        }
        if !self.doors.is_empty() {
            output::lines(&doors::text(&self.doors))?;
        }
        self.host.print("this host")
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
    let open = doors.iter().filter(|door| door.who.is_none() && door.code == Code::NotAsked);
    let open: Vec<_> = open.filter_map(|door| door.name.strip_prefix("ssh, ")).collect();
    let host = host::check(&unenrolled, &open);
    Findings { services, reports, doors, host }
}

/// Accepts findings. Those of the usual services can be accepted, and those of services that are
/// named or have an acceptance.
fn accept(options: &Accept, json: bool) -> Result<(), Error> {
    let acceptances = file::load().unwrap_or_default();
    let accepted = acceptances.into_iter().filter_map(|acceptance| acceptance.service);
    let services = Services::default();
    let mut names = services.usual();
    for name in accepted.chain(options.place.service.clone()) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let found = find(services, names);
    let mut subjects = found.host.subjects(None, &file::line_source);
    for (name, report) in &found.reports {
        subjects.extend(report.subjects(Some(name), &file::line_source));
    }
    accept::run(options, &subjects, json)
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
    let root_is_shut = report.notes.iter().any(|note| note.id() == FindingId::SshdRootCannotLogIn);
    let root_is_alone = || match asks {
        true => enrolled().is_some_and(root_is_alone),
        false => {
            let people = users::people().people;
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
    others.all(|name| !sudo_host::allows(name))
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

/// Returns why no factor that is created at sudo stays, if so, for root.
pub(super) fn sudo_keeps_no_factor() -> Option<String> {
    let sudo = Sudo::look(&|name| path_of(name).is_some())?;
    sudo_credentials::problems(sudo.sudoers.as_ref()?).first().map(Finding::sentence)
}

/// Returns the users and commands for which sudo asks nothing, each as a phrase, for root.
pub(super) fn sudo_exceptions() -> Vec<String> {
    let has_stack = |name: &str| path_of(name).is_some();
    Sudo::look(&has_stack).map(|sudo| sudo.exceptions()).unwrap_or_default()
}

/// Returns the commands of sudo whose PAM services have no file, each with the service, for root.
pub(super) fn sudo_services_without_file() -> Vec<(String, String)> {
    let sudo = Sudo::look(&|name| path_of(name).is_some());
    let services = sudo.into_iter().flat_map(|sudo| sudo.services);
    let missing = services.filter(|used| path_of(&used.name).is_none());
    missing.map(|used| (used.command, used.name)).collect()
}

/// Returns the ways in by ssh that ask for no code, each as a phrase, for root.
pub(super) fn ssh_without_code() -> Vec<String> {
    let doors = sshd::check(&mut Report::default()).into_iter();
    let open = doors.filter(|door| door.code == Code::NotAsked);
    let phrase = |door: Door| {
        let methods = door.name.strip_prefix("ssh, ").unwrap_or(&door.name).to_owned();
        door.who.map_or(methods.clone(), |who| format!("{methods} ({who})"))
    };
    open.map(phrase).collect()
}

/// Returns the people of this host whose password never matches, for root.
pub(super) fn people_with_locked_password() -> Vec<String> {
    let locked = with_locked_password();
    let people = users::people().people.into_iter().map(|person| person.name);
    people.filter(|name| locked.contains(name)).collect()
}

const EXPLAIN: &str = "totpctl doctor --explain ID explains the one in brackets";
const ENROLL_BLOCKED_BY_POLKIT: &str =
    "a user without a factor cannot enroll itself, because polkit asks for a code first";
