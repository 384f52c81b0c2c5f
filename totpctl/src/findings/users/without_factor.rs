//! The users without a factor: who is denied, and who would be without `nullok` and `enroll`.

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use pam_stack::parse::Kind;
use pam_stack::{Stack, admits_without_password};

use super::factor_holder::{Holder, holders, now};
use crate::client::Client;
use crate::daemon_log;
use crate::error::Error;
use crate::findings::finding::{Finding, FindingId};
use crate::findings::report::Report;
use crate::host::people::{People, people};
use crate::host::shadow::Shadow;
use crate::pam::families::{family, is_one_command};
use crate::pam::files::{is_installed, read};
use crate::pam::unenrolled_users::Unenrolled;
use crate::terminal::output;

/// Adds the users without a factor. `services`: what each service does with them. `open`: the
/// methods of ssh that ask nobody for a code.
pub(crate) fn check(
    client: &Client,
    services: &[(&str, Unenrolled)],
    open: &[&str],
    report: &mut Report,
) {
    match WithoutFactor::read(client, None) {
        Ok(users) => {
            let service = |(name, unenrolled): &(&'_ str, Unenrolled)| Asking {
                service: (*name).to_owned(),
                unenrolled: *unenrolled,
                shut: shut_by_password(&[name], &read),
            };
            let asking = services.iter().filter(|(_, fate)| *fate != Unenrolled::NotAsked);
            add(&users, &asking.map(service).collect::<Vec<_>>(), open, report);
        }
        Err(error) => report.notes.push(unknown_finding(&error)),
    }
}

fn unknown_finding(error: &Error) -> Finding {
    let message = format!("cannot list the enrolled users: {error}");
    Finding::new(FindingId::EnrolledUnknown, message).fix(daemon_log::advice())
}

/// A service that asks for a code.
struct Asking {
    service: String,
    /// What it does with users who have no factor.
    unenrolled: Unenrolled,
    /// Those who cannot log in there anyway.
    shut: Vec<String>,
}

/// Returns who cannot log in by any of these services, with or without a factor, because their
/// passwords are locked. `read` returns the files of PAM.
pub(crate) fn shut_by_password(
    services: &[&str],
    read: &dyn Fn(&str) -> Option<String>,
) -> Vec<String> {
    let stacks = services.iter().map(|name| Stack::parse(name, Kind::Auth, read));
    shut_by_stacks(&stacks.collect::<Vec<_>>(), Shadow::of_host().locked(), &is_installed)
}

/// `locked`: the accounts whose password never matches. `exists` reports whether a module is
/// installed.
fn shut_by_stacks(
    stacks: &[Stack],
    mut locked: Vec<String>,
    exists: &dyn Fn(&str) -> bool,
) -> Vec<String> {
    let admits = |stack: &Stack, is_root| match stack {
        Stack::Rules(rules) => admits_without_password(rules, exists, is_root),
        _ => true,
    };
    let [of_root, of_others] =
        [true, false].map(|is_root| stacks.iter().any(|stack| admits(stack, is_root)));
    locked.retain(|name| if name == "root" { !of_root } else { !of_others });
    locked
}

/// The users of this host without a factor.
#[derive(Default)]
pub(crate) struct WithoutFactor {
    /// The number of users who have a factor whose codes are valid now, for the service.
    pub(crate) enrolled: usize,
    /// The number of users who have a factor whose codes are valid now, for any service.
    pub(crate) enrolled_anywhere: usize,
    /// The names of those users.
    pub(crate) usable: Vec<String>,
    /// The names of users who have factors, and none whose codes are valid now.
    pub(crate) unusable: Vec<String>,
    /// The names of those who have none.
    pub(crate) names: Vec<String>,
    /// The sources of users that cannot be listed, as `/etc/nsswitch.conf` names them.
    pub(crate) uncounted: Vec<String>,
    /// All who have factors.
    pub(crate) holders: Vec<Holder>,
}

impl WithoutFactor {
    /// Asks the daemon who is enrolled. A factor counts if its codes are valid for `service`, or
    /// for any service.
    pub(crate) fn read(client: &Client, service: Option<&str>) -> Result<Self, Error> {
        let People { people, uncounted } = people();
        let names = people.into_iter().map(|person| person.name).collect();
        Ok(Self::new(holders(client)?, names, uncounted, service, now()))
    }

    fn new(
        holders: Vec<Holder>,
        mut names: Vec<String>,
        uncounted: Vec<String>,
        service: Option<&str>,
        now: u64,
    ) -> Self {
        let known: BTreeSet<_> = holders.iter().map(|holder| holder.name.as_str()).collect();
        names.retain(|name| !known.contains(name.as_str()));
        let (usable, unusable): (Vec<_>, Vec<_>) =
            holders.iter().partition(|holder| holder.is_valid(service, now));
        let names_of = |holders: Vec<&Holder>| -> Vec<_> {
            holders.into_iter().map(|holder| holder.name.clone()).collect()
        };
        let (usable, unusable) = (names_of(usable), names_of(unusable));
        let enrolled_anywhere = holders.iter().filter(|holder| holder.is_valid(None, now)).count();
        let enrolled = usable.len();
        Self { enrolled, enrolled_anywhere, usable, unusable, names, uncounted, holders }
    }

    /// Returns who has a valid factor, and none for `service` nor for one of its `siblings`.
    fn not_valid_for(&self, service: &str, siblings: &[&str], now: u64) -> Vec<String> {
        let is_left_out = |holder: &&Holder| {
            holder.is_valid(None, now)
                && !holder.is_valid(Some(service), now)
                && siblings.iter().all(|name| !holder.is_valid(Some(name), now))
        };
        self.holders.iter().filter(is_left_out).map(|holder| holder.name.clone()).collect()
    }

    /// Returns whose factors belong to another uid than the account has, each as a phrase.
    fn of_other_uids(&self) -> Vec<String> {
        let phrase = |holder: &Holder| {
            let (record, account) = holder.differing?;
            Some(format!("{} (uid {account}, enrolled as {record})", holder.name))
        };
        self.holders.iter().filter_map(phrase).collect()
    }

    /// Removes the names of users who cannot log in anyway, and returns them.
    pub(crate) fn set_aside(&mut self, cannot_log_in: impl Fn(&str) -> bool) -> Vec<String> {
        let (removed, names) =
            std::mem::take(&mut self.names).into_iter().partition(|name| cannot_log_in(name));
        self.names = names;
        removed
    }

    /// Says how many users are enrolled, and how many of them for `service`, if that differs.
    pub(crate) fn enrolled_phrase(&self, service: &str) -> String {
        let count = self.enrolled_anywhere as u64;
        let verb = if count == 1 { "is" } else { "are" };
        let of_service = match self.enrolled == self.enrolled_anywhere {
            true => String::new(),
            false => {
                format!(", {} of them with a factor that is valid for {service}", self.enrolled)
            }
        };
        format!("{} {verb} enrolled{of_service}", output::count(count, "user"))
    }

    /// Returns the first names, the number of all, and whose users are not counted.
    pub(crate) fn description(&self) -> String {
        let uncounted = match self.uncounted.as_slice() {
            [] => String::new(),
            sources => format!("; not counted: users of {}", sources.join(", ")),
        };
        format!("{}{uncounted}", output::names(&self.names))
    }
}

/// Adds who is denied, and who would be without `nullok` and `enroll`. `services`: those that ask.
fn add(users: &WithoutFactor, services: &[Asking], open: &[&str], report: &mut Report) {
    if services.is_empty() {
        return;
    }
    for (unenrolled, id, what) in [
        (Unenrolled::Denied, FindingId::UsersWithoutFactor, "cannot log in"),
        (Unenrolled::Skipped, FindingId::UsersNotYetEnrolled, "log in without a code now"),
        (
            Unenrolled::Enrolls,
            FindingId::UsersNotYetEnrolled,
            "create a factor at their next login, with the password alone",
        ),
    ] {
        let services: Vec<_> =
            services.iter().filter(|service| service.unenrolled == unenrolled).collect();
        if unenrolled == Unenrolled::Denied && users.enrolled == 0 && !services.is_empty() {
            // Nobody at all could log in, so all count.
            let named = services.iter().map(|service| service.service.as_str()).collect();
            report.problems.extend(nobody_enrolled(named, users));
            continue;
        }
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
            report.notes.push(Finding::new(id, message).fix("enroll them: totpctl enroll USER"));
        }
    }
    add_unusable(users, services, report);
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

/// Returns the problem that these services let nobody in.
fn nobody_enrolled(services: Vec<&str>, users: &WithoutFactor) -> Option<Finding> {
    let message = format!(
        "users without a factor, who cannot log in ({}): {}; no user is enrolled",
        services.join(", "),
        output::names(&users.names)
    );
    let finding = Finding::new(FindingId::NobodyEnrolled, message).fix("run totpctl enroll USER");
    (!users.names.is_empty()).then_some(finding)
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

impl Asking {
    /// Returns the names of those who could log in.
    fn without(&self, names: &[String]) -> Vec<String> {
        names.iter().filter(|name| !self.shut.contains(name)).cloned().collect()
    }

    /// Returns the names of those who cannot log in anyway.
    fn among(&self, names: &[String]) -> Vec<String> {
        names.iter().filter(|name| self.shut.contains(name)).cloned().collect()
    }
}

/// Adds the users who have factors, and none whose codes are valid.
fn add_unusable(users: &WithoutFactor, services: &[Asking], report: &mut Report) {
    let id = FindingId::UsersWithoutUsableFactor;
    let mut note = |text: String, fix: &str| report.notes.push(Finding::new(id, text).fix(fix));
    let differs = |name: &&String| {
        users.holders.iter().any(|holder| holder.name == **name && holder.differing.is_some())
    };
    let is_shut = |name: &&String| services.iter().all(|asking| asking.shut.contains(name));
    let out = users.unusable.iter().filter(|name| !differs(name) && !is_shut(name));
    let out: Vec<_> = out.cloned().collect();
    if !out.is_empty() {
        let message = format!(
            "users who cannot log in, because each of their factors is disabled, expired or out of step: {}",
            output::names(&out)
        );
        note(message, SEE_WHY);
    }
    for asking in services {
        let service = &asking.service;
        let siblings: Vec<_> =
            family(service).into_iter().filter(|name| is_one_command(name)).collect();
        let names = asking.without(&users.not_valid_for(service, &siblings, now()));
        if !names.is_empty() {
            let message = format!(
                "users who cannot log in by {service} with a code, because their factors are valid only for \
                 other services: {}",
                output::names(&names)
            );
            note(message, &format!("name {service} too: totpctl set USER --services …,{service}"));
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
        report.problems.push(finding.fix("enroll them again: totpctl enroll USER"));
    }
}
