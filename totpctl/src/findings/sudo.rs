//! The ways in by sudo, and what its rules mean for the code.

mod asked_users;
mod credentials;
mod memory;
mod other_user;
mod phrases;
#[cfg(test)]
mod tests;
mod tries;

use self::asked_users::{Exception, exceptions, is_anybody_asked};
use self::other_user::{Effect, others};
use super::finding::{Finding, FindingId};
use super::report::Report;
use crate::host::door::{CodeNeed, Door};
use crate::host::name_services;
use crate::host::sudo::services::UsedService;
use crate::host::sudo::sudoers::{Ignored, Place, Reach, Sudoers};
use crate::host::sudo::{Sudo, directory_of_rules};
use crate::pam::change::how_to_create;
use crate::pam::files::path_of;

/// The result of a check of a PAM service: whether it asks, who is not asked, and whether users
/// without a factor get in.
pub(crate) struct Stack {
    pub(crate) code: CodeNeed,
    pub(crate) exceptions: Vec<String>,
    pub(crate) skips_unenrolled: bool,
    /// True if they create a factor.
    pub(crate) enrolls: bool,
}

impl Sudo {
    /// Returns its ways in. `stack` checks a PAM service, and `is_enrolled` reports whether a user
    /// has a factor, if that is known.
    pub(crate) fn doors(
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
        if let Some(sudoers) = self.sudoers.as_ref().filter(|_| code != CodeNeed::NotAsked) {
            let group = self.exempt_group.as_deref();
            found.extend(exceptions(sudoers, group).iter().map(Exception::phrase));
            if !is_anybody_asked(sudoers) {
                code = CodeNeed::NotAsked;
            }
            if code == CodeNeed::Asked && tries::setting(sudoers).is_some() {
                code = CodeNeed::Closed(tries::CLOSED.to_owned());
            }
            let others = if code == CodeNeed::Asked { others(sudoers) } else { Vec::new() };
            for other in others {
                match (other.effect(skips_unenrolled, is_enrolled), other.reach) {
                    (Effect::Code, Reach::Everybody) => {}
                    (Effect::NoCode(_), Reach::Everybody) => code = CodeNeed::NotAsked,
                    (Effect::Nobody(user), Reach::Everybody) => {
                        code = CodeNeed::Unanswerable(other.unanswerable(&user));
                    }
                    (Effect::NoCode(user), _) => found.push(other.skipping(&user)),
                    (Effect::Code, _) => narrow.push((other.scope(), CodeNeed::Asked)),
                    (Effect::Nobody(user), _) => {
                        narrow.push((
                            other.scope(),
                            CodeNeed::Unanswerable(other.unanswerable(&user)),
                        ));
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
    pub(crate) fn check(
        &self,
        stack: &dyn Fn(&str) -> Stack,
        is_enrolled: &dyn Fn(&str) -> Option<bool>,
        report: &mut Report,
    ) {
        let asks = |used: &UsedService| stack(&used.name).code != CodeNeed::NotAsked;
        if !self.services.iter().any(asks) {
            return;
        }
        let silent = self.services.iter().filter(|used| !asks(used));
        report.problems.extend(silent.map(|used| self.service_without_code(used)));
        self.check_files(report);
        match &self.sudoers {
            Some(sudoers) => self.check_rules(sudoers, stack, is_enrolled, report),
            None => {
                let message = "the rules of sudo are not checked: only root can read them";
                let finding = Finding::new(FindingId::SudoersNotChecked, message);
                report.notes.push(finding.fix("run doctor as root"));
            }
        }
    }

    fn service_without_code(&self, used: &UsedService) -> Finding {
        let UsedService { command, name, scope } = used;
        let message = format!("{command} uses the PAM service {name:?}, which asks for no code");
        let fix = match path_of(name) {
            Some(_) => format!("run totpctl enable {name}"),
            None => how_to_create(name),
        };
        let finding = Finding::new(FindingId::SudoServiceWithoutCode, message).fix(fix);
        match scope {
            Some((_, place)) => finding.at(place.clone()).depends_on(self.aliases_at(place)),
            None => finding,
        }
    }

    /// Adds what sudo or doctor cannot read, for whatever reason.
    fn check_files(&self, report: &mut Report) {
        report.notes.extend(self.silence.iter().map(|reason| {
            let message = format!("the PAM services of sudo are not known: {reason}");
            Finding::new(FindingId::SudoersNotChecked, message).fix("run sudo -V as root")
        }));
        report.problems.extend(self.faults.iter().map(|(place, words)| {
            let message = format!("sudo cannot read this line: {words}");
            let finding = Finding::new(FindingId::SudoersUnreadable, message);
            finding.fix("correct it with visudo").at(place.clone())
        }));
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
    }

    /// Adds what the rules mean for the code.
    fn check_rules(
        &self,
        sudoers: &Sudoers,
        stack: &dyn Fn(&str) -> Stack,
        is_enrolled: &dyn Fn(&str) -> Option<bool>,
        report: &mut Report,
    ) {
        for ignored in &sudoers.ignored {
            match (ignored_finding(ignored), ignored.is_main) {
                (problem, true) => report.problems.push(problem),
                (note, false) => report.notes.push(note),
            }
        }
        report.notes.extend(self.exception_notes(sudoers));
        report.notes.extend(memory::notes(sudoers));
        report.problems.extend(tries::problem(sudoers));
        if self.services.iter().any(|used| stack(&used.name).enrolls) {
            report.problems.extend(credentials::problems(sudoers));
        }
        let Stack { code, skips_unenrolled, .. } = stack("sudo");
        for other in others(sudoers) {
            let effect = match code == CodeNeed::Asked {
                true => other.effect(skips_unenrolled, is_enrolled),
                false => Effect::Code,
            };
            match other.finding(&effect) {
                (true, problem) => report.problems.push(problem),
                (false, note) => report.notes.push(note),
            }
        }
        report.notes.extend(directory_of_rules().map(|source| {
            let message =
                format!("the rules of sudo that come from a directory are not checked ({source})");
            Finding::new(FindingId::SudoersNotChecked, message)
                .in_file(name_services::configuration())
                .fix("check them by hand, for example with sudo -l -U USER")
        }));
    }

    fn exception_notes(&self, sudoers: &Sudoers) -> Vec<Finding> {
        let note = |exception: &Exception| {
            let finding =
                Finding::new(FindingId::SudoersException, exception.sentence()).fix(EXCEPTION_FIX);
            match &exception.place {
                Some(place) => {
                    let basis = exception.basis(self.aliases_at(place));
                    finding.at(place.clone()).depends_on(basis)
                }
                None => finding,
            }
        };
        exceptions(sudoers, self.exempt_group.as_deref()).iter().map(note).collect()
    }

    /// Returns the users and commands for which sudo asks nothing, each as a phrase.
    pub(crate) fn exceptions(&self) -> Vec<String> {
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

/// Returns why no factor that is created at sudo stays, if so, for root.
pub(crate) fn sudo_keeps_no_factor() -> Option<String> {
    let sudo = Sudo::look(&|name| path_of(name).is_some())?;
    credentials::problems(sudo.sudoers.as_ref()?).first().map(Finding::sentence)
}

/// Returns the users and commands for which sudo asks nothing, each as a phrase, for root.
pub(crate) fn sudo_exceptions() -> Vec<String> {
    let has_stack = |name: &str| path_of(name).is_some();
    Sudo::look(&has_stack).map(|sudo| sudo.exceptions()).unwrap_or_default()
}

/// Reports whether sudo lets some users run all commands without a code, for root.
pub(crate) fn sudo_has_other_way() -> bool {
    let has_stack = |name: &str| path_of(name).is_some();
    let Some(sudo) = Sudo::look(&has_stack) else { return false };
    let opens = |sudoers: &Sudoers| {
        let found = exceptions(sudoers, sudo.exempt_group.as_deref());
        !is_anybody_asked(sudoers) || found.iter().any(|exception| exception.is_for_all)
    };
    // What cannot be read may have one.
    sudo.sudoers.as_ref().is_none_or(opens)
}

const EXCEPTION_FIX: &str =
    "remove the exception, or accept it: totpctl doctor accept sudoers-exception --reason TEXT";
