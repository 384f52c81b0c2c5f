//! The ways to become a user or root on this host: which exist, and what each asks.

use totpd_journal::escape::escape;

use super::automatic_login;
use super::doas::Doas;
use super::door::{Code, Door};
use super::finding::{Finding, FindingId};
use super::known_doors::{KNOWN, Kind, KnownDoor, TO_ROOT, has_one_prompt};
use super::never_asking;
use super::report::Report;
use super::rescue::{self, RootPassword};
use super::services::Services;
use super::skipped::{cockpit_exceptions, polkit_exceptions};
use crate::pam::families::FAMILIES;
use crate::pam::files::path_of;
use crate::program;

/// Returns the ways in besides sshd and sudo. `is_wanted` selects them by their services.
pub(super) fn doors(services: &Services, is_wanted: &dyn Fn(&str) -> bool) -> Vec<Door> {
    let exist = KNOWN.iter().filter(|known| is_wanted(known.service) && exists(known, services));
    exist.map(|known| door(known, services)).collect()
}

/// Returns the services of installed programs that have no file of their own.
pub(in crate::commands) fn services_without_file() -> Vec<String> {
    let known = KNOWN.iter().filter(|known| !known.service.is_empty());
    let installed =
        known.filter(|known| known.programs.iter().any(|name| program::path(name).is_some()));
    let missing = installed.filter(|known| path_of(known.service).is_none());
    let mut names: Vec<_> = missing
        .filter(|known| known.kind != Kind::NeverAsks)
        .map(|known| known.service.to_owned())
        .collect();
    names.dedup();
    names
}

/// Returns the ways in that ask nobody, whatever PAM says.
pub(super) fn automatic() -> Vec<Door> {
    automatic_login::doors()
}

fn exists(known: &KnownDoor, services: &Services) -> bool {
    let has_program = known.programs.iter().any(|name| program::path(name).is_some());
    match known.service {
        // Its program comes with systemd, and asks polkit.
        "polkit-1" => has_program && services.has("polkit-1"),
        _ if known.programs.is_empty() => services.has(known.service),
        _ => has_program,
    }
}

fn door(known: &KnownDoor, services: &Services) -> Door {
    let (mut code, mut exceptions) = match known.kind {
        Kind::NeverAsks if known.name == RESCUE_MODE => (rescue::code_of_host(), Vec::new()),
        Kind::NeverAsks => (Code::NotAsked, Vec::new()),
        Kind::OnePrompt | Kind::Stack => {
            let service = services.get(known.service);
            let code = match known.kind == Kind::OnePrompt && service.needs_two_answers {
                true if service.code == Code::Asked => Code::Unanswerable(ONE_PROMPT.to_owned()),
                _ => service.code.clone(),
            };
            (code, service.exceptions.clone())
        }
    };
    match known.service {
        "cockpit" => exceptions.extend(cockpit_exceptions()),
        "doas" => match Doas::look() {
            Doas::AllowsNobody(reason) => code = Code::Closed(reason),
            Doas::NotAsked(users) => exceptions.extend(users),
        },
        "polkit-1" => exceptions.extend(polkit_exceptions()),
        _ => {}
    }
    let service = (!known.service.is_empty()).then(|| known.service.to_owned());
    Door { name: known.name.to_owned(), service, who: None, code, exceptions }
}

/// Adds what a service lacks beside others: services of the same program, other ways to root, and a
/// second prompt.
pub(super) fn check(name: &str, services: &Services, report: &mut Report) {
    let service = services.get(name);
    if service.code != Code::Asked {
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
    if asking.clone().find(|first| services.get(first).code == Code::Asked) == Some(name) {
        report
            .notes
            .extend(ways_to_root(services, RootPassword::of_host() == RootPassword::Locked));
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
        if services.get(sibling).code == Code::NotAsked {
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
                && family.first().is_some_and(|first| services.get(first).code == Code::Asked)
        })
    };
    let open: Vec<_> = KNOWN
        .iter()
        .filter(|known| TO_ROOT.contains(&known.service) && exists(known, services))
        .filter(|known| !is_sibling(known.service))
        .filter(|known| !(is_root_locked && known.service.starts_with("su")))
        .filter(|known| door(known, services).code == Code::NotAsked)
        .collect();
    if open.is_empty() {
        return None;
    }
    let names: Vec<_> =
        open.iter().map(|known| format!("{} ({})", known.name, known.service)).collect();
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

/// Returns the section of the ways in, a line each.
pub(super) fn text(doors: &[Door]) -> String {
    let name = |door: &Door| match &door.who {
        Some(who) => format!("{} ({who})", door.name),
        None => door.name.clone(),
    };
    let width = doors.iter().map(|door| name(door).chars().count()).max().unwrap_or_default();
    let mut lines = String::from("ways in:\n");
    for door in doors {
        let told = match &door.code {
            Code::Asked => "asks for a code".to_owned(),
            Code::NotAsked => "does not ask for a code".to_owned(),
            Code::Unanswerable(reason) => format!("asks for a code that nobody can give: {reason}"),
            Code::Closed(reason) => format!("closed: {reason}"),
            Code::Unknown(reason) => format!("not known: {reason}"),
        };
        let exceptions = match (door.exceptions.as_slice(), &door.code) {
            ([], _) => String::new(),
            (exceptions, Code::NotAsked) => format!(" ({})", exceptions.join("; ")),
            (exceptions, _) => format!("; not asked: {}", exceptions.join("; ")),
        };
        let line = format!("{:width$}  {told}{exceptions}", name(door));
        lines.push_str(&format!("  {}\n", escape(&line)));
    }
    lines
}

const RESCUE_MODE: &str = "rescue mode";
const ONE_PROMPT: &str = "one prompt, and its stack asks for a password and a code";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_way_in_has_a_line() {
        let door = |name: &str, who: Option<&str>, code, exceptions: &[&str]| Door {
            name: name.into(),
            service: None,
            who: who.map(ToOwned::to_owned),
            code,
            exceptions: exceptions.iter().map(|text| (*text).to_owned()).collect(),
        };
        let doors = [
            door("sudo", None, Code::Asked, &["members of wheel (NOPASSWD, /etc/sudoers:2)"]),
            door("sudo -i", Some("Defaults:bob"), Code::NotAsked, &[]),
            door("vsftpd", None, Code::Unanswerable("one\u{1b}[2J prompt".into()), &[]),
        ];
        let expected = "ways in:\n  \
             sudo                    asks for a code; not asked: members of wheel (NOPASSWD, /etc/sudoers:2)\n  \
             sudo -i (Defaults:bob)  does not ask for a code\n  \
             vsftpd                  asks for a code that nobody can give: one\\u{1b}[2J prompt\n";
        assert_eq!(text(&doors), expected);
    }
}
