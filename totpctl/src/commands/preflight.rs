//! Checks before a service asks for a code: it can ask, users can log in, and nobody who could log
//! in is denied unawares.

mod effect;
mod exception;
mod guarded;
pub(super) mod host;
pub(super) mod opening;
mod profile;
mod reach;
mod refusal;

use self::effect::Effect;
use self::guarded::{check_automatic, check_guard};
pub(super) use self::reach::Reach;
use self::refusal::{nobody_could_log_in, nobody_gets_in};
use crate::cli::ModuleOptions;
use crate::client::Client;
use crate::error::Error;
use crate::findings::sshd;
use crate::findings::sshd::missing_password::Missing;
use crate::findings::sudo::{sudo_exceptions, sudo_has_other_way};
use crate::findings::users::asking::{Asking, LockedPasswords};
use crate::findings::users::without_factor::WithoutFactor;
use crate::host::door::automatic_login;
use crate::pam::change::{Change, needs_profile, plan_enable, read_after};
use crate::pam::families::is_one_command;
use crate::pam::files::read;
use crate::pam::guard;
use crate::pam::unenrolled_users::Unenrolled;
use crate::terminal::{input, output};

/// What a change means for users without a factor.
pub(super) struct Preflight {
    users: WithoutFactor,
    /// The users without a factor who cannot log in anyway, because their password is locked.
    set_aside: Vec<String>,
    /// The changed services, with those whose password is locked.
    asking: Asking,
    /// The enrolled users, if none of them can log in, because their passwords are locked.
    locked_out: Vec<String>,
    /// What the change does to other services.
    reach: Reach,
    /// The users and commands that sudo does not ask, each as a phrase.
    exceptions: Vec<String>,
    /// What the changed services do with them; the strictest of these.
    unenrolled: Unenrolled,
    /// True if they could log in before the change, and are denied after it.
    denies: bool,
    /// True if a service asked nobody before the change.
    asks_first: bool,
    /// The service that was named.
    service: String,
    /// What may surprise those who log in by it, each as a sentence.
    surprises: Vec<String>,
}

/// Plans the change after which `service` asks for a code. A guard that stands there gets the
/// options that are given, as the line under `auth` does.
///
/// # Errors
/// [`plan_enable`] has them. If a profile has to ask, it asks at sshd too: the error then says what
/// keeps sshd from it.
pub(super) fn plan(service: &str, options: &ModuleOptions) -> Result<Vec<Change>, Error> {
    reach::check_asks(service)?;
    guard::check_options(&options.options().unwrap_or_default())?;
    if options.guard {
        guard::check_service(service)?;
    }
    let error = match plan_enable(service, options.options().as_deref()) {
        Err(error @ Error::Refused { .. }) if needs_profile(service) => error,
        Ok(mut changes)
            if options.guard || (options.options().is_some() && guard::holds(service, &read)) =>
        {
            guard::plan(service, options.options(), &mut changes)?;
            return Ok(changes);
        }
        other => return other,
    };
    Err(profile::advice(error, &|stacks| sshd::problems(stacks)))
}

impl Preflight {
    /// Checks that users can log in through `service` after these changes.
    ///
    /// # Errors
    /// [`Error::Refused`] if nobody could log in, or if users would lose the exception of `nullok`
    /// or `enroll`.
    pub(super) fn check(
        service: &str,
        options: &ModuleOptions,
        changes: &[Change],
    ) -> Result<Self, Error> {
        host::check_sshd(service, changes)?;
        if has(options, "enroll") {
            exception::check_enroll(service, changes)?;
        }
        host::check_totpd(service)?;
        let effects: Vec<_> = changes.iter().map(|change| Effect::new(change, changes)).collect();
        exception::check_nullok(&effects)?;
        let preflight = Self::new(service, changes, &effects)?;
        preflight.reach.check(options.even_so)?;
        preflight.check_sshd(options, changes)?;
        let is_guarded = guard::holds(service, &|file| read_after(changes, file));
        if service == "login" && is_guarded && !options.even_so {
            check_automatic(&automatic_login::by_login())?;
        }
        if preflight.unenrolled == Unenrolled::Denied && preflight.users.enrolled == 0 {
            let forwards_password = has(options, "forward_pass");
            return Err(nobody_could_log_in(service, &preflight.users.unusable, forwards_password));
        }
        if !options.even_so {
            preflight.check_somebody(&|| preflight.has_other_way(changes))?;
        }
        if effects.iter().any(Effect::drops_exception) {
            preflight.check_dropped(options)?;
        }
        Ok(preflight)
    }

    /// Asks the daemon for the users, and sets aside those whose password is locked.
    fn new(service: &str, changes: &[Change], effects: &[Effect<'_>]) -> Result<Self, Error> {
        let unenrolled = Unenrolled::strictest(effects.iter().map(Effect::after));
        let mut users = WithoutFactor::read(&Client::connect()?, Some(service))?;
        let changed: Vec<_> = changes.iter().map(|change| change.service.as_str()).collect();
        let shut = LockedPasswords::of_host().shut_out_of(&changed);
        let cannot_log_in = |name: &str| shut.iter().any(|other| other == name);
        let has_way_in = users.usable.iter().any(|name| !cannot_log_in(name));
        users.unusable.retain(|name| !cannot_log_in(name));
        let set_aside = match unenrolled {
            Unenrolled::NotAsked => Vec::new(),
            _ => users.set_aside(cannot_log_in),
        };
        Ok(Self {
            set_aside,
            asking: Asking {
                service: service.to_owned(),
                siblings: siblings(service, &changed),
                unenrolled,
                shut,
            },
            locked_out: if has_way_in { Vec::new() } else { users.usable.clone() },
            exceptions: if exception::is_sudo(changes) { sudo_exceptions() } else { Vec::new() },
            users,
            unenrolled,
            reach: Reach::from_changes(changes),
            denies: effects.iter().any(Effect::denies),
            asks_first: effects.iter().any(Effect::asks_first),
            service: service.to_owned(),
            surprises: match service {
                "sshd" => sshd::surprises(&|file| read_after(changes, file)),
                _ => Vec::new(),
            },
        })
    }

    /// Checks that somebody gets in by the service after the change, as doctor does.
    fn check_somebody(&self, has_other_way: &dyn Fn() -> bool) -> Result<(), Error> {
        let admission = self.users.admission(&self.asking);
        let is_closed =
            self.unenrolled != Unenrolled::NotAsked && admission.lets_nobody_in(has_other_way);
        if is_closed { Err(nobody_gets_in(&self.service, &admission)) } else { Ok(()) }
    }

    /// Reports whether the program lets some users in without a code after the change.
    fn has_other_way(&self, changes: &[Change]) -> bool {
        match self.service.as_str() {
            "sshd" => sshd::has_other_way(&sshd::ways_in(&|file| read_after(changes, file))),
            _ => exception::is_sudo(changes) && sudo_has_other_way(),
        }
    }

    /// Checks who gets in by ssh after the change: by a code alone, and who no longer does.
    fn check_sshd(&self, options: &ModuleOptions, changes: &[Change]) -> Result<(), Error> {
        if self.service != "sshd" {
            return Ok(());
        }
        if !options.yes {
            let after = sshd::code_alone(&|file| read_after(changes, file));
            check_code_alone(after, &|| sshd::code_alone(&read))?;
        }
        if !options.even_so {
            self.check_root(&|| sshd::root_is_shut(&|file| read_after(changes, file)))?;
            self.check_passwords(changes)?;
            check_guard(sshd::guard_ends_logins(&|file| read_after(changes, file)))?;
        }
        opening::check(self.unenrolled, &self.users, options)
    }

    /// Checks that root can log in by ssh, if no other user has a factor. `root_is_shut` returns
    /// why it cannot.
    fn check_root(&self, root_is_shut: &dyn Fn() -> Option<String>) -> Result<(), Error> {
        let users = &self.users;
        let is_alone = users.enrolled == 1
            && users.unusable.is_empty()
            && !users.names.iter().any(|name| name == "root");
        match is_alone.then(root_is_shut).flatten() {
            Some(reason) => Err(Error::refused(format!(
                "not changed: root is the only user with a factor, and {reason}; or use --even-so"
            ))),
            None => Ok(()),
        }
    }

    /// Checks that nobody needs a password after a key, and has none.
    fn check_passwords(&self, changes: &[Change]) -> Result<(), Error> {
        let is_enrolled = |user: &str| !self.users.names.iter().any(|name| name == user);
        let missing = Missing::find(&|file| read_after(changes, file), &is_enrolled);
        match missing.filter(|missing| missing.is_problem) {
            Some(missing) => Err(Error::refused(format!(
                "not changed: {}; or use --even-so",
                missing.sentence()
            ))),
            None => Ok(()),
        }
    }

    /// Checks that nobody depends on the exception that the change drops.
    fn check_dropped(&self, options: &ModuleOptions) -> Result<(), Error> {
        if !self.users.names.is_empty() && !options.even_so {
            return Err(Error::refused(format!(
                "not changed: users without a factor could no longer log in: {}; enroll them (totpctl enroll \
                 USER), or use --even-so",
                self.users.description()
            )));
        }
        if options.even_so && !self.users.names.is_empty() {
            let names = self.users.description();
            output::note(&format!("Can no longer log in (--even-so): {names}."));
        }
        if self.users.uncounted.is_empty() || options.yes {
            return Ok(());
        }
        let sources = self.users.uncounted.join(", ");
        output::note(&format!(
            "Users of {sources} cannot be counted. Those without a factor could no longer log in."
        ));
        if input::confirm("Continue? [y/N] ")? {
            return Ok(());
        }
        Err(Error::refused(format!(
            "not changed: cannot tell which users of {sources} have a factor; use --yes to change it without a \
             question"
        )))
    }

    /// Returns who could log in before the change, and cannot after it.
    pub(super) fn shut_out(&self) -> Vec<&str> {
        let without = if self.denies { self.users.names.as_slice() } else { &[] };
        // nullok and enroll let in nobody who has a factor.
        let unusable = if self.asks_first { self.users.unusable.as_slice() } else { &[] };
        without.iter().chain(unusable).map(String::as_str).collect()
    }

    /// Returns whose users are not counted.
    pub(super) fn uncounted_sources(&self) -> &[String] {
        &self.users.uncounted
    }

    /// Says who can log in after the change, as one text.
    pub(super) fn message(&self) -> String {
        self.sentences().join(" ")
    }

    /// Says who can log in after the change.
    pub(super) fn sentences(&self) -> Vec<String> {
        let fate = match self.unenrolled {
            Unenrolled::NotAsked => "are not asked",
            Unenrolled::Skipped => "log in without a code (option nullok)",
            Unenrolled::Enrolls => "create one at their next login (option enroll)",
            Unenrolled::Denied => "are denied",
        };
        let mut told = vec![format!(
            "{}. Users without a factor {fate}: {}.",
            self.users.enrolled_phrase(&self.service),
            self.users.description()
        )];
        if self.unenrolled != Unenrolled::NotAsked && !self.users.unusable.is_empty() {
            let names = output::names(&self.users.unusable);
            told.push(format!(
                "Denied, because no factor of theirs is valid for {} now: {names}.",
                self.service
            ));
        }
        if !self.set_aside.is_empty() {
            let names = output::names(&self.set_aside);
            told.push(format!("Not counted, because their password is locked: {names}."));
        }
        if !self.locked_out.is_empty() {
            let names = output::names(&self.locked_out);
            told.push(format!(
                "No enrolled user can log in with a password and a code, because their passwords are locked: \
                 {names}. So no login keeps a trial. Set a password (passwd USER), or write a line for key and \
                 code by hand (README)."
            ));
        }
        told.extend(self.reach.after_enable());
        if !self.exceptions.is_empty() {
            told.push(format!("sudo does not ask: {}.", self.exceptions.join("; ")));
        }
        told.extend(self.surprises.iter().map(|surprise| format!("Note: {surprise}.")));
        told
    }
}

/// Returns the other changed services that the command of `service` opens, too.
fn siblings(service: &str, changed: &[&str]) -> Vec<String> {
    let changed = changed.iter().filter(|name| **name != service && is_one_command(name));
    changed.map(ToString::to_string).collect()
}

/// Reports whether the line of the module gets this option.
fn has(options: &ModuleOptions, option: &str) -> bool {
    options.options().unwrap_or_default().iter().any(|other| other == option)
}

/// Asks whether a code alone may let users in by ssh. `problem`: that it does after the change.
/// `before` returns the same for the files as they are.
fn check_code_alone(
    problem: Option<String>,
    before: &dyn Fn() -> Option<String>,
) -> Result<(), Error> {
    let Some(problem) = problem.filter(|_| before().is_none()) else { return Ok(()) };
    if input::is_terminal() {
        output::note(&format!("Problem: {problem}."));
        if input::confirm("Continue? [y/N] ")? {
            return Ok(());
        }
        return Err(Error::refused("nothing is changed"));
    }
    Err(Error::refused(format!(
        "not changed: {problem}; or use --yes, if a code alone is intended"
    )))
}

#[cfg(test)]
mod tests;
