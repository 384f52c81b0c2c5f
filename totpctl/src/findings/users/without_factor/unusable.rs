//! The users who have factors, and cannot log in with them.

use super::population::WithoutFactor;
use crate::findings::finding::{Finding, FindingId};
use crate::findings::report::Report;
use crate::findings::users::admission::Obstacle;
use crate::findings::users::asking::Asking;
use crate::terminal::output;

/// Adds the users who have factors, and none whose codes are valid.
/// `passable`: the services that let somebody in.
pub(super) fn add_unusable(
    users: &WithoutFactor,
    services: &[Asking],
    passable: &[&Asking],
    report: &mut Report,
) {
    let mut note = |message: String, names: &[String], fix: &str| {
        let finding = Finding::new(FindingId::UsersWithoutUsableFactor, message).lists(names);
        report.notes.push(finding.fix(fix));
    };
    let differs = |name: &&String| {
        users.holders.iter().any(|holder| holder.name == **name && holder.differing.is_some())
    };
    let is_shut = |name: &&String| services.iter().all(|asking| asking.shut.contains(name));
    let phrase = |name: &String| match is_shut(&name) {
        true => format!("{name} (password locked, too)"),
        false => name.clone(),
    };
    let out: Vec<_> = users.unusable.iter().filter(|name| !differs(name)).map(phrase).collect();
    if !out.is_empty() {
        let message = format!(
            "users who cannot log in, because each of their factors is disabled, expired or out of step: {}",
            output::names(&out)
        );
        note(message, &out, SEE_WHY);
    }
    for asking in passable {
        let service = &asking.service;
        let kept_out = users.admission(asking).kept_out.into_iter();
        let kept_out = kept_out.filter(|(_, obstacles)| *obstacles == [Obstacle::OtherServices]);
        let names: Vec<_> = kept_out.map(|(name, _)| name).collect();
        if !names.is_empty() {
            let message = format!(
                "users who cannot log in by {service} with a code, because their factors are valid only for \
                 other services: {}",
                output::names(&names)
            );
            let fix = format!("name {service} too: totpctl set USER --services …,{service}");
            note(message, &names, &fix);
        }
    }
    add_foreign(users, report);
}

const SEE_WHY: &str = "totpctl show USER says why; then totpctl set USER --enable, or --not-after \"\", or totpctl resync";

/// Adds the users whose factors belong to another uid.
fn add_foreign(users: &WithoutFactor, report: &mut Report) {
    let moved = users.of_other_uids();
    if !moved.is_empty() {
        let message = format!(
            "users whose codes are denied, because their factors belong to another uid: {}",
            output::names(&moved)
        );
        let finding = Finding::new(FindingId::FactorOfAnotherUid, message);
        report.problems.push(finding.fix("enroll them again: totpctl enroll USER").lists(&moved));
    }
}
