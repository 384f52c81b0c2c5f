//! The users without a factor: who is denied, and who would be without `nullok` and `enroll`.

use std::collections::HashSet;

use super::finding::{Finding, FindingId};
use super::report::Report;
use super::users::{People, people};
use crate::client::{Client, details};
use crate::error::Error;
use crate::pam::unenrolled::Unenrolled;
use crate::terminal::output;

/// Adds the users without a factor. `services`: what each service does with them.
pub(super) fn check(client: &Client, services: &[(&str, Unenrolled)], report: &mut Report) {
    match WithoutFactor::read(client) {
        Ok(users) => add(&users, services, report),
        Err(error) => report
            .note(FindingId::EnrolledUnknown, format!("cannot list the enrolled users: {error}")),
    }
}

/// The users of this host without a factor.
pub(crate) struct WithoutFactor {
    /// The number of users who have a factor.
    pub(crate) enrolled: usize,
    /// The names of those who have none.
    pub(crate) names: Vec<String>,
    /// The sources of users that cannot be listed, as `/etc/nsswitch.conf` names them.
    pub(crate) uncounted: Vec<String>,
}

impl WithoutFactor {
    /// Asks the daemon who is enrolled.
    pub(crate) fn read(client: &Client) -> Result<Self, Error> {
        let enrolled = enrolled(client)?;
        let People { people, uncounted } = people();
        let names = people.into_iter().map(|person| person.name);
        let names = names.filter(|name| !enrolled.contains(name)).collect();
        Ok(Self { enrolled: enrolled.len(), names, uncounted })
    }

    /// Returns the first names, the number of all, and whose users are not counted.
    pub(crate) fn described(&self) -> String {
        let uncounted = match self.uncounted.as_slice() {
            [] => String::new(),
            sources => format!("; not counted: users of {}", sources.join(", ")),
        };
        format!("{}{uncounted}", output::names(&self.names))
    }
}

/// Adds who is denied, and who would be without `nullok` and `enroll`.
fn add(users: &WithoutFactor, services: &[(&str, Unenrolled)], report: &mut Report) {
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
        let services = services.join(", ");
        let message = format!(
            "users without a factor, who {what} ({services}): {}",
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

/// Returns all users who have a factor.
fn enrolled(client: &Client) -> Result<HashSet<String>, Error> {
    let (mut after, mut enrolled) = (String::new(), HashSet::new());
    loop {
        let page = client.manager(async |totpd| totpd.list_users(&after, PAGE_SIZE).await)?;
        for user in &page {
            let user = details::object(user);
            after = details::text(&user, "user");
            if details::flag(&user, "enrolled") {
                enrolled.insert(after.clone());
            }
        }
        if page.len() < PAGE_SIZE as usize {
            return Ok(enrolled);
        }
    }
}

const PAGE_SIZE: u32 = 500;

#[cfg(test)]
mod tests {
    use super::*;

    fn found(names: &[&str], enrolled: usize, services: &[(&str, Unenrolled)]) -> Report {
        let names = names.iter().map(ToString::to_string).collect();
        let mut report = Report::default();
        add(&WithoutFactor { enrolled, names, uncounted: Vec::new() }, services, &mut report);
        report
    }

    #[test]
    fn with_nullok_everywhere_the_remaining_users_are_named() {
        let report = found(&["bob", "carol"], 1, &[("sshd", Unenrolled::Skipped)]);
        let expected =
            "users without a factor, who log in without a code now (sshd): bob, carol (2)";
        assert_eq!(report.notes[0].message(), expected);
        assert_eq!(report.notes[0].id(), FindingId::UsersNotYetEnrolled);
        assert!(report.problems.is_empty());
        let enrolls = found(&["bob"], 0, &[("sshd", Unenrolled::Enrolls)]);
        assert!(enrolls.problems.is_empty() && enrolls.notes.len() == 1);
    }

    #[test]
    fn denied_users_are_named_with_the_services() {
        let services = [
            ("sshd", Unenrolled::Denied),
            ("sudo", Unenrolled::Denied),
            ("su", Unenrolled::NotAsked),
        ];
        let report = found(&["bob"], 1, &services);
        let expected = "users without a factor, who cannot log in (sshd, sudo): bob (1)";
        assert_eq!(report.notes[0].message(), expected);
        let nobody = found(&["bob"], 0, &services);
        assert_eq!(nobody.problems[0].id(), FindingId::NobodyEnrolled);
    }

    #[test]
    fn nobody_left_is_said() {
        let report = found(&[], 3, &[("sshd", Unenrolled::Skipped)]);
        assert_eq!(report.summary, ["users without a factor: none"]);
        assert!(found(&[], 3, &[("su", Unenrolled::NotAsked)]).summary.is_empty());
    }

    #[test]
    fn users_of_a_directory_are_said_not_to_be_counted() {
        let mut report = Report::default();
        let users = WithoutFactor { enrolled: 1, names: Vec::new(), uncounted: vec!["sss".into()] };
        add(&users, &[("sshd", Unenrolled::Skipped)], &mut report);
        assert_eq!(report.notes[0].id(), FindingId::UsersNotCounted);
        assert_eq!(users.described(), "none; not counted: users of sss");
    }
}
