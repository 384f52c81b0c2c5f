//! The ways to become a user or root on this host: which exist, and what each asks.

use super::finding::{Finding, FindingId};
use super::report::Report;
use super::services::Services;
use crate::host::door::doas::Doas;
use crate::host::door::known_doors::{
    KNOWN, Kind, KnownDoor, POLKIT, TO_ROOT, has_one_prompt, programs_of_polkit,
};
use crate::host::door::skipped::{cockpit_exceptions, polkit_exceptions};
use crate::host::door::{CodeNeed, Door, automatic_login, never_asking};
use crate::host::rescue_mode;
use crate::host::shadow::{Password, Shadow};
use crate::pam::families::FAMILIES;
use crate::program;
use crate::unit::has_systemd;

/// Returns the ways in besides sshd and sudo. `is_wanted` selects them by their services.
pub(crate) fn doors(services: &Services, is_wanted: &dyn Fn(&str) -> bool) -> Vec<Door> {
    let exist = KNOWN.iter().filter(|known| is_wanted(known.service) && exists(known, services));
    exist.map(|known| door(known, services)).collect()
}

/// Returns the ways in that ask nobody. Only a guard of login can refuse one.
pub(crate) fn automatic(services: &Services) -> Vec<Door> {
    let login = services.get("login");
    automatic_login::doors(login.is_guarded.then_some(login.exceptions.as_slice()))
}

fn exists(known: &KnownDoor, services: &Services) -> bool {
    // machinectl asks systemd.
    let is_of_systemd = known.programs.contains(&"machinectl");
    if is_of_systemd && !has_systemd() {
        return false;
    }
    let has_program = known.programs.iter().any(|name| program::path(name).is_some());
    match known.service {
        // Its program comes with systemd, and asks polkit.
        "polkit-1" => has_program && services.has("polkit-1"),
        _ if known.programs.is_empty() => services.has(known.service),
        _ => has_program,
    }
}

/// Returns what a person calls a way in on this host.
fn name(known: &KnownDoor) -> String {
    match known.name {
        POLKIT => programs_of_polkit(has_systemd(), &|name| program::path(name).is_some()),
        name => name.to_owned(),
    }
}

fn door(known: &KnownDoor, services: &Services) -> Door {
    let (mut code, mut exceptions) = match known.kind {
        Kind::NeverAsks if known.name == RESCUE_MODE => (rescue_mode::code_of_host(), Vec::new()),
        Kind::NeverAsks => (CodeNeed::NotAsked, Vec::new()),
        Kind::OnePrompt | Kind::Stack => {
            let service = services.get(known.service);
            let code = match known.kind == Kind::OnePrompt && service.needs_two_answers {
                true if service.code == CodeNeed::Asked => {
                    CodeNeed::Unanswerable(ONE_PROMPT.to_owned())
                }
                _ => service.code.clone(),
            };
            (code, service.exceptions.clone())
        }
    };
    match known.service {
        "cockpit" if services.get("cockpit").is_guarded => {}
        "cockpit" => exceptions.extend(cockpit_exceptions()),
        "doas" => match Doas::look() {
            Doas::AllowsNobody(reason) => code = CodeNeed::Closed(reason),
            Doas::NotAsked(users) => exceptions.extend(users),
        },
        "polkit-1" => exceptions.extend(polkit_exceptions()),
        _ => {}
    }
    let service = (!known.service.is_empty()).then(|| known.service.to_owned());
    Door { name: name(known), service, who: None, code, exceptions }
}

/// Adds what a service lacks beside others: services of the same program, other ways to root, and a
/// second prompt.
pub(crate) fn check(name: &str, services: &Services, report: &mut Report) {
    let service = services.get(name);
    if service.code != CodeNeed::Asked {
        return;
    }
    if never_asking::reason(name).is_some() {
        report.summarize("but nobody is asked, because its program asks for nothing");
        return;
    }
    if has_one_prompt(name) && service.needs_two_answers {
        let message = format!("{name} has {ONE_PROMPT}, so nobody can answer both");
        let finding = Finding::new(FindingId::OnePromptProgram, message);
        report.problems.push(finding.fix(
            "write the line of pam_totp.so first, with the option forward_pass, and add use_first_pass to pam_unix.so",
        ));
    }
    siblings(name, services, report);
    let asking = ["sudo", "su", "doas", "polkit-1"].into_iter();
    // One note is enough.
    if asking.clone().find(|first| services.get(first).code == CodeNeed::Asked) == Some(name) {
        report.notes.extend(ways_to_root(
            services,
            Shadow::of_host().password_of("root") == Some(Password::Locked),
        ));
    }
}

/// Adds the services of the same program that do not ask, or ask otherwise.
fn siblings(name: &str, services: &Services, report: &mut Report) {
    let family = FAMILIES.iter().find(|family| family.first() == Some(&name));
    for sibling in family.into_iter().flat_map(|family| family.iter().skip(1)) {
        if !services.has(sibling) {
            continue;
        }
        options_of_sibling(name, sibling, services, report);
        // sudo has other names, too, and its own check.
        if *sibling == "sudo-i" {
            continue;
        }
        if services.get(sibling).code == CodeNeed::NotAsked {
            let message = format!("{sibling} of the same program asks for no code");
            let finding = Finding::new(FindingId::SiblingWithoutCode, message)
                .fix(format!("run totpctl enable {sibling}"));
            match *sibling {
                "su-l" => report.problems.push(finding),
                // A host may have no reader for it.
                _ => report.notes.push(finding),
            }
        }
    }
}

/// Adds a sibling whose line of pam_totp.so has other options. It is a problem if users without a
/// factor get in by one of the two alone.
fn options_of_sibling(name: &str, sibling: &str, services: &Services, report: &mut Report) {
    let (first, other) = (services.get(name), services.get(sibling));
    if !first.asks || !other.asks || first.options == other.options {
        return;
    }
    let told = |options: &[String]| match options {
        [] => "none".to_owned(),
        options => options.join(" "),
    };
    let message = format!(
        "{sibling} of the same program has other options of pam_totp.so than {name} ({}, and {})",
        told(&other.options),
        told(&first.options)
    );
    let fix = format!("run totpctl enable {name} with --no-options, or with --option for each");
    let finding = Finding::new(FindingId::SiblingOptionsDiffer, message).fix(fix);
    match first.unenrolled.can_log_in() == other.unenrolled.can_log_in() {
        true => report.notes.push(finding),
        false => report.problems.push(finding),
    }
}

/// Returns a note if other ways to root ask for no code.
fn ways_to_root(services: &Services, is_root_locked: bool) -> Option<Finding> {
    let is_sibling = |service: &str| {
        FAMILIES.iter().any(|family| {
            family.iter().skip(1).any(|name| *name == service)
                && family.first().is_some_and(|first| services.get(first).code == CodeNeed::Asked)
        })
    };
    let open: Vec<_> = KNOWN
        .iter()
        .filter(|known| TO_ROOT.contains(&known.service) && exists(known, services))
        .filter(|known| !is_sibling(known.service))
        .filter(|known| !(is_root_locked && known.service.starts_with("su")))
        .filter(|known| door(known, services).code == CodeNeed::NotAsked)
        .collect();
    if open.is_empty() {
        return None;
    }
    let names: Vec<_> =
        open.iter().map(|known| format!("{} ({})", name(known), known.service)).collect();
    let mut commands: Vec<_> = open
        .iter()
        // `enable su` changes su-l, too.
        .filter(|known| known.service != "su-l")
        .map(|known| format!("totpctl enable {}", known.service))
        .collect();
    commands.dedup();
    let message = format!("other ways to root ask for no code: {}", names.join(", "));
    let finding = Finding::new(FindingId::RootWithoutCode, message);
    Some(finding.fix(format!("run {}", commands.join(" and "))))
}

const RESCUE_MODE: &str = "rescue mode";
const ONE_PROMPT: &str = "one prompt, and its stack asks for a password and a code";
