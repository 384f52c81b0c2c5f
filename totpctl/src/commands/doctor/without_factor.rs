//! The users without a factor: who is denied, and who would be without `nullok` and `enroll`.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::finding::{Finding, FindingId};
use super::report::Report;
use super::users::{People, people};
use crate::client::{Client, details};
use crate::commands::list::for_each_user;
use crate::error::Error;
use crate::pam::unenrolled::Unenrolled;
use crate::terminal::output;

/// Adds the users without a factor. `services`: what each service does with them. `open`: the
/// methods of ssh that ask nobody for a code.
pub(super) fn check(
    client: &Client,
    services: &[(&str, Unenrolled)],
    open: &[&str],
    report: &mut Report,
) {
    match WithoutFactor::read(client) {
        Ok(users) => add(&users, services, open, report),
        Err(error) => report.notes.push(unknown(&error)),
    }
}

fn unknown(error: &Error) -> Finding {
    let message = format!("cannot list the enrolled users: {error}");
    Finding::new(FindingId::EnrolledUnknown, message).fix("read journalctl -t totpd")
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
}

impl WithoutFactor {
    /// Asks the daemon who is enrolled.
    pub(crate) fn read(client: &Client) -> Result<Self, Error> {
        let users = enrolled(client)?;
        let People { people, uncounted } = people();
        let names = people.into_iter().map(|person| person.name);
        let names = names.filter(|name| !users.contains_key(name)).collect();
        let (usable, unusable): (Vec<_>, Vec<_>) =
            users.into_iter().partition(|(_, is_usable)| *is_usable);
        let names_of = |users: Vec<(String, bool)>| users.into_iter().map(|(name, _)| name);
        let usable: Vec<_> = names_of(usable).collect();
        let unusable = names_of(unusable).collect();
        Ok(Self { enrolled: usable.len(), usable, unusable, names, uncounted })
    }

    /// Removes the names of users who cannot log in anyway, and returns them.
    pub(crate) fn set_aside(&mut self, cannot_log_in: impl Fn(&str) -> bool) -> Vec<String> {
        let (removed, names) =
            std::mem::take(&mut self.names).into_iter().partition(|name| cannot_log_in(name));
        self.names = names;
        removed
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
    if asks && !users.unusable.is_empty() {
        let message = format!(
            "users who cannot log in with a code, because each of their factors is disabled, expired or out \
             of step: {}",
            output::names(&users.unusable)
        );
        let finding = Finding::new(FindingId::UsersWithoutUsableFactor, message);
        report
            .notes
            .push(finding.fix("totpctl show USER says why; enroll them: totpctl enroll USER"));
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

/// Returns all users who have a factor, and whether the codes of one are valid now.
fn enrolled(client: &Client) -> Result<BTreeMap<String, bool>, Error> {
    let now = jiff::Timestamp::now().as_second().cast_unsigned();
    let mut enrolled = BTreeMap::new();
    for_each_user(client, |user| {
        if details::flag(&user, "enrolled") {
            let is_usable = details::objects(&user, "factors").any(|f| is_usable(f, now));
            enrolled.insert(details::text(&user, "user"), is_usable);
        }
        Ok(())
    })?;
    Ok(enrolled)
}

fn is_usable(factor: &Map<String, Value>, now: u64) -> bool {
    details::text(factor, "status") == "verified"
        && details::number(factor, "not_before").is_none_or(|from| from <= now)
        && details::number(factor, "not_after").is_none_or(|end| now < end)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_unknown_list_has_a_change_to_make() {
        let told = unknown(&Error::refused("no answer")).sentence();
        assert_eq!(told, "cannot list the enrolled users: no answer; read journalctl -t totpd");
    }

    fn found(names: &[&str], enrolled: usize, services: &[(&str, Unenrolled)]) -> Report {
        let names = names.iter().map(ToString::to_string).collect();
        let mut report = Report::default();
        let users = WithoutFactor { enrolled, names, ..WithoutFactor::default() };
        add(&users, services, &[], &mut report);
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
    fn a_key_that_is_enough_is_said() {
        let users =
            WithoutFactor { enrolled: 1, names: vec!["dana".into()], ..WithoutFactor::default() };
        for (service, expected) in [
            (
                "sshd",
                "cannot pass a prompt for a code (sshd): dana (1); ssh still lets them in by publickey",
            ),
            ("sudo", "cannot log in (sudo): dana (1)"),
        ] {
            let mut report = Report::default();
            add(&users, &[(service, Unenrolled::Denied)], &["publickey"], &mut report);
            let message = report.notes[0].message();
            assert_eq!(message, format!("users without a factor, who {expected}"));
        }
    }

    #[test]
    fn a_user_whose_factors_are_all_unusable_is_named() {
        let (now, mut report) = (1_000, Report::default());
        let factor = |value: Value| is_usable(value.as_object().unwrap(), now);
        assert!(factor(json!({ "status": "verified", "not_before": 1_000, "not_after": 1_001 })));
        assert!(!factor(json!({ "status": "verified", "not_after": 1_000 })));
        assert!(!factor(json!({ "status": "verified", "not_before": 1_001 })));
        assert!(!factor(json!({ "status": "disabled" })));
        let users = WithoutFactor { unusable: vec!["alice".into()], ..WithoutFactor::default() };
        add(&users, &[("sshd", Unenrolled::Denied)], &[], &mut report);
        assert_eq!(report.notes[0].id(), FindingId::UsersWithoutUsableFactor);
        assert!(report.notes[0].message().ends_with("alice (1)"));
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
        let users = WithoutFactor {
            enrolled: 1,
            uncounted: vec!["sss".into()],
            ..WithoutFactor::default()
        };
        add(&users, &[("sshd", Unenrolled::Skipped)], &[], &mut report);
        assert_eq!(report.notes[0].id(), FindingId::UsersNotCounted);
        assert_eq!(users.described(), "none; not counted: users of sss");
    }
}
