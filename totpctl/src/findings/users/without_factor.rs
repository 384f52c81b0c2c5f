//! The users without a factor: who is denied, and who would be without `nullok` and `enroll`.

mod nobody;
mod population;
#[cfg(test)]
mod tests;
mod unusable;

pub(crate) use self::nobody::because;
use self::nobody::{is_closed, nobody_enrolled};
pub(crate) use self::population::{OtherWays, WithoutFactor};
use self::unusable::add_unusable;
use super::asking::{Asking, LockedPasswords};
use crate::client::Client;
use crate::daemon_log;
use crate::error::Error;
use crate::findings::finding::{Finding, FindingId};
use crate::findings::report::Report;
use crate::pam::unenrolled_users::Unenrolled;
use crate::terminal::output;

/// Adds the users without a factor. `services`: what each service does with them.
pub(crate) fn check(
    client: &Client,
    services: &[(&str, Unenrolled)],
    other_ways: &OtherWays<'_>,
    report: &mut Report,
) {
    match WithoutFactor::read(client, None) {
        Ok(users) => {
            let asking = services.iter().filter(|(_, fate)| *fate != Unenrolled::NotAsked);
            let locked = LockedPasswords::of_host();
            let asking =
                asking.map(|(name, unenrolled)| Asking::of_host(name, *unenrolled, &locked));
            add(&users, &asking.collect::<Vec<_>>(), other_ways, report);
        }
        Err(error) => report.notes.push(unknown_finding(&error)),
    }
}

fn unknown_finding(error: &Error) -> Finding {
    let message = format!("cannot list the enrolled users: {error}");
    Finding::new(FindingId::EnrolledUnknown, message).fix(daemon_log::advice())
}

/// Adds who is denied, and who would be without `nullok` and `enroll`. `services`: those that ask.
fn add(
    users: &WithoutFactor,
    services: &[Asking],
    other_ways: &OtherWays<'_>,
    report: &mut Report,
) {
    if services.is_empty() {
        return;
    }
    let (closed, passable): (Vec<_>, Vec<_>) =
        services.iter().partition(|asking| is_closed(asking, users, other_ways));
    report.problems.extend(nobody_enrolled(&closed, users));
    let open = &other_ways.open;
    for (unenrolled, id, what) in [
        (Unenrolled::Denied, FindingId::UsersWithoutFactor, "cannot log in"),
        (Unenrolled::Skipped, FindingId::UsersNotYetEnrolled, "log in without a code now"),
        (
            Unenrolled::Enrolls,
            FindingId::UsersNotYetEnrolled,
            "create a factor at their next login, with the password alone",
        ),
    ] {
        // Of a closed one the problem says all.
        let services = passable.iter().filter(|service| service.unenrolled == unenrolled);
        let services: Vec<_> = services.copied().collect();
        for (services, names) in by_names(&services, &|asking| asking.without(&users.names)) {
            // Their keys still let them in by ssh.
            let has_other_way =
                unenrolled == Unenrolled::Denied && services.contains(&"sshd") && !open.is_empty();
            let (what, other_way) = match has_other_way {
                true => (
                    "cannot pass a prompt for a code",
                    format!("; ssh still lets them in by {}", open.join(" or ")),
                ),
                false => (what, String::new()),
            };
            let message = format!(
                "users without a factor, who {what} ({}): {}{other_way}",
                services.join(", "),
                output::names(&names)
            );
            let finding = Finding::new(id, message).fix("enroll them: totpctl enroll USER");
            report.notes.push(finding.lists(&names));
        }
    }
    add_unusable(users, services, &passable, report);
    summarize(users, services, report);
    if !users.uncounted.is_empty() {
        let message = format!(
            "users of {} are not counted here, because no file lists them",
            users.uncounted.join(" and ")
        );
        let finding = Finding::new(FindingId::UsersNotCounted, message);
        report.notes.push(finding.fix("totpctl show USER says whether one has a factor"));
    }
}

/// Adds how many users are enrolled, and who does not count.
fn summarize(users: &WithoutFactor, services: &[Asking], report: &mut Report) {
    // Where nobody at all can log in, all count.
    let counts_all =
        |asking: &Asking| users.enrolled == 0 && asking.unenrolled == Unenrolled::Denied;
    let all: Vec<_> = services.iter().filter(|asking| !counts_all(asking)).collect();
    report.summarize(users.enrolled_phrase("any"));
    let has_none = |asking: &Asking| match counts_all(asking) {
        true => users.names.is_empty(),
        false => asking.without(&users.names).is_empty(),
    };
    if services.iter().all(has_none) {
        report.summarize("users without a factor: none");
    }
    for (names_of, names) in by_names(&all, &|asking| asking.among(&users.names)) {
        let place = match names_of.len() == services.len() {
            true => String::new(),
            false => format!(" for {}", names_of.join(", ")),
        };
        let names = output::names(&names);
        report.summarize(format!("not counted{place}, because their password is locked: {names}"));
    }
    let holders: Vec<_> = users.holders.iter().map(|holder| holder.name.clone()).collect();
    let every: Vec<_> = services.iter().collect();
    for (names_of, names) in by_names(&every, &|asking| asking.among(&holders)) {
        let place = match names_of.len() == services.len() {
            true => String::new(),
            false => format!(" by {}", names_of.join(", ")),
        };
        let names = output::names(&names);
        report.summarize(format!(
            "enrolled, and cannot log in{place} because their password is locked: {names}"
        ));
    }
}

/// Returns the services of which `names_of` returns the same names, with these; those without a
/// name are left out.
fn by_names<'a>(
    services: &[&'a Asking],
    names_of: &dyn Fn(&Asking) -> Vec<String>,
) -> Vec<(Vec<&'a str>, Vec<String>)> {
    let mut groups: Vec<(Vec<&str>, Vec<String>)> = Vec::new();
    for asking in services {
        let names = names_of(asking);
        match groups.iter_mut().find(|(_, others)| *others == names) {
            Some((group, _)) => group.push(&asking.service),
            None if names.is_empty() => {}
            None => groups.push((vec![&asking.service], names)),
        }
    }
    groups
}
