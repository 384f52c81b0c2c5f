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
use crate::pam::unenrolled::Unenrolled;
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
        Ok(mut users) => {
            let asking = services.iter().filter(|(_, fate)| *fate != Unenrolled::NotAsked);
            let stacks = asking.map(|(name, _)| Stack::parse(name, Kind::Auth, &read));
            let locked = Shadow::of_host().locked();
            let aside = users.set_aside_locked(&stacks.collect::<Vec<_>>(), &locked, &is_installed);
            add(&users, services, open, report);
            if !aside.is_empty() {
                let names = output::names(&aside);
                report.summarize(format!("not counted, because their password is locked: {names}"));
            }
        }
        Err(error) => report.notes.push(unknown_finding(&error)),
    }
}

fn unknown_finding(error: &Error) -> Finding {
    let message = format!("cannot list the enrolled users: {error}");
    Finding::new(FindingId::EnrolledUnknown, message).fix(daemon_log::advice())
}

/// The users of this host without a factor.
#[derive(Default)]
pub(crate) struct WithoutFactor {
    /// The number of users who have a factor whose codes are valid now.
    pub(crate) enrolled: usize,
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
        Self { enrolled: usable.len(), usable, unusable, names, uncounted, holders }
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

    /// Removes the names of users who cannot pass these stacks with or without a factor, because
    /// their passwords are locked, and returns them. If nobody is enrolled, all count.
    /// `exists` reports whether a module is installed.
    fn set_aside_locked(
        &mut self,
        stacks: &[Stack],
        locked: &[String],
        exists: &dyn Fn(&str) -> bool,
    ) -> Vec<String> {
        let admits = |stack: &Stack, name: &str| match stack {
            Stack::Rules(rules) => admits_without_password(rules, exists, name == "root"),
            _ => true,
        };
        match self.enrolled {
            0 => Vec::new(),
            _ => self.set_aside(|name| {
                locked.iter().any(|other| other == name)
                    && stacks.iter().all(|stack| !admits(stack, name))
            }),
        }
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

/// Adds who is denied, and who would be without `nullok` and `enroll`.
fn add(users: &WithoutFactor, services: &[(&str, Unenrolled)], open: &[&str], report: &mut Report) {
    let mut asks = false;
    for (unenrolled, id, what) in [
        (Unenrolled::Denied, FindingId::UsersWithoutFactor, "cannot log in"),
        (Unenrolled::Skipped, FindingId::UsersNotYetEnrolled, "log in without a code now"),
        (
            Unenrolled::Enrolls,
            FindingId::UsersNotYetEnrolled,
            "create a factor at their next login, with the password alone",
        ),
    ] {
        let services = services.iter().filter(|(_, other)| *other == unenrolled);
        let services: Vec<_> = services.map(|(name, _)| *name).collect();
        asks |= !services.is_empty();
        if services.is_empty() || users.names.is_empty() {
            continue;
        }
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
            output::names(&users.names)
        );
        if unenrolled == Unenrolled::Denied && users.enrolled == 0 {
            let finding =
                Finding::new(FindingId::NobodyEnrolled, format!("{message}; no user is enrolled"));
            report.problems.push(finding.fix("run totpctl enroll USER"));
        } else {
            report.notes.push(Finding::new(id, message).fix("enroll them: totpctl enroll USER"));
        }
    }
    if asks {
        add_unusable(users, services, report);
    }
    if asks && users.names.is_empty() {
        report.summarize("users without a factor: none");
    }
    if asks && !users.uncounted.is_empty() {
        let message = format!(
            "users of {} are not counted here, because no file lists them",
            users.uncounted.join(" and ")
        );
        let finding = Finding::new(FindingId::UsersNotCounted, message);
        report.notes.push(finding.fix("totpctl show USER says whether one has a factor"));
    }
}

/// Adds the users who have factors, and none whose codes are valid.
fn add_unusable(users: &WithoutFactor, services: &[(&str, Unenrolled)], report: &mut Report) {
    let mut note = |message: String| {
        let finding = Finding::new(FindingId::UsersWithoutUsableFactor, message);
        let finding = finding.fix("totpctl show USER says why; enroll them: totpctl enroll USER");
        report.notes.push(finding);
    };
    let differs = |name: &&String| {
        users.holders.iter().any(|holder| holder.name == **name && holder.differing.is_some())
    };
    let out: Vec<_> = users.unusable.iter().filter(|name| !differs(name)).cloned().collect();
    if !out.is_empty() {
        note(format!(
            "users who cannot log in, because each of their factors is disabled, expired or out of step: {}",
            output::names(&out)
        ));
    }
    for (service, unenrolled) in services {
        let siblings: Vec<_> =
            family(service).into_iter().filter(|name| is_one_command(name)).collect();
        let names = users.not_valid_for(service, &siblings, now());
        if *unenrolled != Unenrolled::NotAsked && !names.is_empty() {
            note(format!(
                "users who cannot log in by {service} with a code, because their factors are valid only for \
                 other services: {}",
                output::names(&names)
            ));
        }
    }
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
