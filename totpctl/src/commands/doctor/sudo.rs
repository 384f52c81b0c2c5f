//! The ways in by sudo, and what its rules mean for the code.

use super::door::{Code, Door};
use super::finding::{Finding, FindingId};
use super::report::Report;
use super::sudo_asks::{Exception, exceptions, is_anybody_asked};
use super::sudo_credentials;
use super::sudo_host::{Sudo, directory_of_rules};
use super::sudo_memory;
use super::sudo_other::{Effect, others};
use super::sudo_services::UsedService;
use super::sudo_tries;
use super::sudoers::{Ignored, Place, Reach};
use crate::name_services;
use crate::pam::change::how_to_create;
use crate::pam::files::path_of;

/// The result of a check of a PAM service: whether it asks, who is not asked, and whether users
/// without a factor get in.
pub(super) struct Stack {
    pub(super) code: Code,
    pub(super) exceptions: Vec<String>,
    pub(super) skips_unenrolled: bool,
    /// True if they create a factor.
    pub(super) enrolls: bool,
}

impl Sudo {
    /// Returns its ways in. `stack` checks a PAM service, and `is_enrolled` reports whether a user
    /// has a factor, if that is known.
    pub(super) fn doors(
        &self,
        stack: &dyn Fn(&str) -> Stack,
        is_enrolled: &dyn Fn(&str) -> Option<bool>,
    ) -> Vec<Door> {
        let doors = self.services.iter().map(|service| self.doors_of(service, stack, is_enrolled));
        doors.flatten().collect()
    }

    /// Returns the way in by a service, and those of callers who give the code of another user.
    fn doors_of(
        &self,
        service: &UsedService,
        stack: &dyn Fn(&str) -> Stack,
        is_enrolled: &dyn Fn(&str) -> Option<bool>,
    ) -> Vec<Door> {
        let Stack { mut code, exceptions: mut found, skips_unenrolled, .. } = stack(&service.name);
        let mut narrow = Vec::new();
        if let Some(sudoers) = self.sudoers.as_ref().filter(|_| code != Code::NotAsked) {
            let group = self.exempt_group.as_deref();
            found.extend(exceptions(sudoers, group).iter().map(Exception::phrase));
            if !is_anybody_asked(sudoers) {
                code = Code::NotAsked;
            }
            if code == Code::Asked && sudo_tries::setting(sudoers).is_some() {
                code = Code::Closed(sudo_tries::CLOSED.to_owned());
            }
            let others = if code == Code::Asked { others(sudoers) } else { Vec::new() };
            for other in others {
                match (other.effect(skips_unenrolled, is_enrolled), other.reach) {
                    (Effect::Code, Reach::Everybody) => {}
                    (Effect::NoCode(_), Reach::Everybody) => code = Code::NotAsked,
                    (Effect::Nobody(user), Reach::Everybody) => {
                        code = Code::Unanswerable(other.unanswerable(&user));
                    }
                    (Effect::NoCode(user), _) => found.push(other.skipping(&user)),
                    (Effect::Code, _) => narrow.push((other.scope(), Code::Asked)),
                    (Effect::Nobody(user), _) => {
                        narrow.push((other.scope(), Code::Unanswerable(other.unanswerable(&user))));
                    }
                }
            }
        }
        let door = |who, code, exceptions| Door {
            name: service.command.clone(),
            service: Some(service.name.clone()),
            who,
            code,
            exceptions,
        };
        let scope = service.scope.as_ref().map(|(scope, _)| scope.clone());
        let mut doors = vec![door(scope, code, found)];
        doors.extend(narrow.into_iter().map(|(who, code)| door(Some(who), code, Vec::new())));
        doors
    }

    /// Adds what sudo does with the code, if it asks for one. `stack` and `is_enrolled` are those
    /// of [`Self::doors`].
    pub(super) fn check(
        &self,
        stack: &dyn Fn(&str) -> Stack,
        is_enrolled: &dyn Fn(&str) -> Option<bool>,
        report: &mut Report,
    ) {
        let asks = |used: &UsedService| stack(&used.name).code != Code::NotAsked;
        if !self.services.iter().any(asks) {
            return;
        }
        for UsedService { command, name, scope } in self.services.iter().filter(|used| !asks(used))
        {
            let message =
                format!("{command} uses the PAM service {name:?}, which asks for no code");
            let fix = match path_of(name) {
                Some(_) => format!("run totpctl enable {name}"),
                None => how_to_create(name),
            };
            let finding = Finding::new(FindingId::SudoServiceWithoutCode, message).fix(fix);
            report.problems.push(match scope {
                Some((_, place)) => finding.at(place.clone()).depends_on(self.aliases_at(place)),
                None => finding,
            });
        }
        report.notes.extend(self.silence.iter().map(|reason| {
            let message = format!("the PAM services of sudo are not known: {reason}");
            Finding::new(FindingId::SudoersNotChecked, message).fix("run sudo -V as root")
        }));
        let unreadable = |(place, words): &(Place, String)| {
            Finding::new(
                FindingId::SudoersUnreadable,
                format!("sudo cannot read this line: {words}"),
            )
            .fix("correct it with visudo")
            .at(place.clone())
        };
        report.problems.extend(self.faults.iter().map(unreadable));
        report.notes.extend(self.unread.iter().map(|(place, reason)| {
            let message = format!("sudo may read rules here that doctor cannot read: {reason}");
            let finding = Finding::new(FindingId::SudoersNotChecked, message).at(place.clone());
            finding.fix("check them by hand, for example with sudo -l -U USER")
        }));
        report.notes.extend(self.others.iter().map(|path| {
            let message =
                "another sudo is installed, and doctor does not check its rules and its PAM services";
            let finding = Finding::new(FindingId::SudoersNotChecked, message).in_file(path);
            finding.fix("remove it, or check it by hand")
        }));
        let Some(sudoers) = &self.sudoers else {
            let message = "the rules of sudo are not checked: only root can read them";
            let finding = Finding::new(FindingId::SudoersNotChecked, message);
            report.notes.push(finding.fix("run doctor as root"));
            return;
        };
        for ignored in &sudoers.ignored {
            match (ignored_finding(ignored), ignored.is_main) {
                (problem, true) => report.problems.push(problem),
                (note, false) => report.notes.push(note),
            }
        }
        let group = self.exempt_group.as_deref();
        report.notes.extend(exceptions(sudoers, group).iter().map(|exception| {
            let finding =
                Finding::new(FindingId::SudoersException, exception.sentence()).fix(EXCEPTION_FIX);
            match &exception.place {
                Some(place) => {
                    let basis = exception.basis(self.aliases_at(place));
                    finding.at(place.clone()).depends_on(basis)
                }
                None => finding,
            }
        }));
        report.notes.extend(sudo_memory::notes(sudoers));
        report.problems.extend(sudo_tries::problem(sudoers));
        if self.services.iter().any(|used| stack(&used.name).enrolls) {
            report.problems.extend(sudo_credentials::problems(sudoers));
        }
        let Stack { code, skips_unenrolled, .. } = stack("sudo");
        for other in others(sudoers) {
            let effect = match code == Code::Asked {
                true => other.effect(skips_unenrolled, is_enrolled),
                false => Effect::Code,
            };
            match other.finding(&effect) {
                (true, problem) => report.problems.push(problem),
                (false, note) => report.notes.push(note),
            }
        }
        if let Some(source) = directory_of_rules() {
            let message =
                format!("the rules of sudo that come from a directory are not checked ({source})");
            report.notes.push(
                Finding::new(FindingId::SudoersNotChecked, message)
                    .in_file(name_services::configuration())
                    .fix("check them by hand, for example with sudo -l -U USER"),
            );
        }
    }

    /// Returns the users and commands for which sudo asks nothing, each as a phrase.
    pub(super) fn exceptions(&self) -> Vec<String> {
        let group = self.exempt_group.as_deref();
        let found = self.sudoers.iter().flat_map(|sudoers| exceptions(sudoers, group));
        found.map(|exception| exception.phrase()).collect()
    }

    fn aliases_at(&self, place: &Place) -> Option<String> {
        self.sudoers.as_ref()?.aliases_at(place)
    }
}

fn ignored_finding(Ignored { path, reason, is_main }: &Ignored) -> Finding {
    let fix = format!("run chown root:root {path} && chmod go-w {path}");
    let (id, message, fix) = match is_main {
        true => (
            FindingId::SudoersUnreadable,
            format!("sudo refuses this file, so it allows nobody anything: {reason}"),
            fix,
        ),
        false => (
            FindingId::SudoersIgnored,
            format!("sudo ignores this, with all rules in it: {reason}"),
            format!("delete it, or {fix}"),
        ),
    };
    Finding::new(id, message).in_file(path).fix(fix)
}

const EXCEPTION_FIX: &str =
    "remove the exception, or accept it: totpctl doctor accept sudoers-exception --reason TEXT";

#[cfg(test)]
mod tests {
    use super::super::sudoers::{Files, Sudoers};
    use super::*;

    /// Returns what sudo with these rules reports, while root has no factor.
    fn checked(rules: &str) -> Report {
        checked_of(Some(Sudoers::of_text(rules, "h")), None)
    }

    fn checked_of(sudoers: Option<Sudoers>, silence: Option<String>) -> Report {
        let (command, name) = ("sudo".to_owned(), "sudo".to_owned());
        let others = silence.iter().map(|_| "/usr/bin/sudo.ws".to_owned()).collect();
        let sudo = Sudo {
            services: vec![UsedService { command, name, scope: None }],
            sudoers,
            faults: Vec::new(),
            unread: Vec::new(),
            silence,
            exempt_group: None,
            others,
        };
        let stack = |_: &str| Stack {
            code: Code::Asked,
            exceptions: Vec::new(),
            skips_unenrolled: false,
            enrolls: false,
        };
        let mut report = Report::default();
        sudo.check(&stack, &|user| Some(user != "root"), &mut report);
        report
    }

    #[test]
    fn a_finding_depends_on_the_aliases_and_the_user_of_other_lines() {
        let basis = |rules: &str| {
            let report = checked(rules);
            let is_known = |finding: &&Finding| finding.id() != FindingId::SudoersNotChecked;
            let mut all = report.problems.iter().chain(&report.notes);
            all.find(is_known).unwrap().basis().map(ToOwned::to_owned)
        };
        // More members than the message names.
        let alias = "User_Alias OPS = a, b, c, d, e, f, g";
        for line in ["Defaults:OPS !authenticate", "Defaults:OPS rootpw"] {
            assert_eq!(basis(&format!("{alias}\n{line}\n")).as_deref(), Some(alias), "{line}");
        }
        let exempt = format!("{alias}\na, b, c, d, e, f, g: (root:) ALL");
        assert_eq!(basis(&format!("{alias}\nOPS ALL=NOPASSWD: ALL\n")), Some(exempt));
        // What a line exempts depends on other lines too.
        for (rules, expected) in [
            ("a ALL=NOPASSWD: /b, /c\n", "a: (root:) /b, (root:) /c"),
            ("a ALL=NOPASSWD: /b, /c\na ALL=(ALL) /c\n", "a: (root:) /b"),
            ("a ALL=(ALL:adm) NOPASSWD: /b\n", "a: (ALL:adm) /b"),
            ("a ALL=NOPASSWD: /b\n+ng ALL=(ALL) ALL\n", "a may: (root:) /b"),
            ("Defaults runas_default=op\na ALL=NOPASSWD: /b\n", "a: (op:) /b"),
            ("Defaults:a runas_default=op\na ALL=NOPASSWD: /b\n", "a: (op:) /b"),
        ] {
            assert_eq!(basis(rules).as_deref(), Some(expected), "{rules}");
        }
        assert_eq!(basis("Defaults runaspw\nDefaults runas_default=op\n").as_deref(), Some("op"));
    }

    #[test]
    fn rules_that_are_not_checked_have_a_change_to_make() {
        let report = checked_of(None, Some("sudo -V: it does not answer within 5 s".to_owned()));
        let told: Vec<_> = report.notes.iter().map(Finding::sentence).collect();
        assert_eq!(told.len(), 3, "{told:?}");
        assert!(told[0].ends_with("; run sudo -V as root"), "{told:?}");
        assert!(told[1].starts_with("/usr/bin/sudo.ws: another sudo is installed"), "{told:?}");
        assert!(told[2].ends_with("; run doctor as root"), "{told:?}");
    }

    #[test]
    fn a_file_that_sudo_ignores_is_a_note() {
        let read = |path: &str| match path {
            "/s" => Ok("@include /t\n@includedir /d\n".to_owned()),
            _ => Ok("bob ALL=NOPASSWD: ALL\n".to_owned()),
        };
        for (refused, problems, notes) in [
            (&["/t", "/d"][..], &[][..], &["/t: sudo ignores this", "/d: sudo ignores this"][..]),
            (&["/t", "/d/a"], &[], &["/t: sudo ignores this", "/d/a: sudo ignores this"]),
            (&["/s"], &["/s: sudo refuses this file"], &[]),
        ] {
            let refusal = |path: &str| {
                refused.contains(&path).then(|| "everybody can write to it".to_owned())
            };
            let list = |_: &str| vec!["a".to_owned()];
            let files =
                Files { rejected: &[], refusal: &refusal, read: &read, list: &list, host: "h" };
            let report = checked_of(Some(Sudoers::read("/s", &files)), None);
            for (found, expected) in [(&report.problems, problems), (&report.notes, notes)] {
                let is_known = |finding: &&Finding| finding.id() != FindingId::SudoersNotChecked;
                let told: Vec<_> = found.iter().filter(is_known).map(Finding::sentence).collect();
                assert_eq!(told.len(), expected.len(), "{told:?}");
                assert!(told.iter().zip(expected).all(|(a, b)| a.starts_with(b)), "{told:?}");
            }
        }
    }

    #[test]
    fn an_exception_has_a_change_to_make() {
        let report = checked("bob ALL=NOPASSWD: /bin/a\n");
        let told = report.notes[0].sentence();
        assert!(told.ends_with(EXCEPTION_FIX), "{told}");
    }

    #[test]
    fn a_code_that_nobody_has_is_a_finding_of_its_own() {
        for (rules, problems, notes) in [
            ("Defaults targetpw\n", &[FindingId::SudoNobodyBecomesRoot][..], &[][..]),
            ("Defaults runaspw, runas_default=op\n", &[], &[FindingId::SudoAsksForOtherUser]),
            ("Defaults:bob rootpw\n", &[FindingId::SudoAsksForOtherUser], &[]),
            (
                "Defaults:bob runaspw\nDefaults runas_default=op\n",
                &[],
                &[FindingId::SudoAsksForOtherUser],
            ),
            ("Defaults@other rootpw\n", &[], &[]),
            ("Defaults env_reset\n", &[], &[]),
            ("Defaults timestamp_timeout=-1\n", &[], &[FindingId::SudoRemembersCode]),
        ] {
            let report = checked(rules);
            let ids = |list: &[Finding]| list.iter().map(Finding::id).collect::<Vec<_>>();
            assert_eq!(ids(&report.problems), problems, "{rules}");
            // This machine may have rules in a directory.
            let mut found = ids(&report.notes);
            found.retain(|id| *id != FindingId::SudoersNotChecked);
            assert_eq!(found, notes, "{rules}");
        }
    }
}
