//! What a change does to other services: their stacks include a changed file, or they have none.

use pam_stack::parse::Kind;
use pam_stack::{Rule, Stack, analyze, needs_two_answers};

use crate::error::Error;
use crate::findings::sshd::ssh_without_code;
use crate::host::door::known_doors::{has_one_prompt, services_without_file};
use crate::host::door::never_asking;
use crate::host::sudo::sudo_services_without_file;
use crate::pam::change::{Change, how_to_create, read_after};
use crate::pam::families::family;
use crate::pam::files::{is_installed, path_of, read, services};
use crate::terminal::output;

/// What a change does to services besides its own.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Reach {
    /// Those that ask for a code after it, and did not before.
    asking: Vec<String>,
    /// Those that ask for a code before it, and do not after it.
    released: Vec<String>,
    /// Those of the same program that ask for no code after it.
    silent: Vec<String>,
    /// Commands of sudo whose services have no file and do not ask, each with the service.
    missing: Vec<(String, String)>,
    /// The ways by ssh that ask for no code after it, if it has sshd ask.
    by_ssh: Vec<String>,
    /// Why nobody could log in after it by a service, its own included; a sentence each.
    shut: Vec<String>,
}

/// Returns the text of a file of PAM.
type Read<'a> = &'a dyn Fn(&str) -> Option<String>;

impl Reach {
    /// Returns what these changes do on this host.
    pub(crate) fn from_changes(changes: &[Change]) -> Self {
        let mut names = services();
        if changes.iter().any(|change| change.service == OTHER) {
            names.extend(services_without_file());
        }
        let changed: Vec<_> = changes.iter().map(|change| change.service.as_str()).collect();
        let after = |file: &str| read_after(changes, file);
        let mut reach =
            Self::find(&names, &changed, (&read, &after), &is_installed, &has_one_prompt);
        let siblings = changed.iter().flat_map(|name| family(name));
        let silent = siblings.filter(|name| path_of(name).is_some() && !asks(&rules(name, &after)));
        if changed.contains(&"sudo") {
            reach.missing = sudo_services_without_file();
            reach.missing.retain(|(_, name)| !asks(&rules(name, &after)));
        }
        if changed.contains(&"sshd") && asks(&rules("sshd", &after)) {
            reach.by_ssh = ssh_without_code(&after);
        }
        reach.silent = silent.map(ToOwned::to_owned).collect();
        reach
    }

    fn find(
        names: &[String],
        changed: &[&str],
        (before, after): (Read, Read),
        is_installed: &dyn Fn(&str) -> bool,
        has_one_prompt: &dyn Fn(&str) -> bool,
    ) -> Self {
        let mut reach = Self::default();
        for name in names {
            let (old, new) = (rules(name, before), rules(name, after));
            let touches = |rule: &Rule| changed.contains(&&*rule.place.file);
            if !old.iter().chain(&new).any(touches) {
                continue;
            }
            let is_other = !changed.contains(&name.as_str());
            match (asks(&old), asks(&new)) {
                (false, true) if is_other => reach.asking.push(name.clone()),
                (true, false) if is_other => reach.released.push(name.clone()),
                _ => {}
            }
            let one_prompt = has_one_prompt(name);
            let fault = |rules: &[Rule]| match analyze(rules, is_installed).can_succeed {
                _ if one_prompt && needs_two_answers(rules) => Some(ONE_PROMPT),
                false if is_other && asks(rules) => Some("its stack would deny everybody"),
                _ => None,
            };
            if let Some(reason) = fault(&new).filter(|_| fault(&old).is_none()) {
                let place = new.iter().find(|rule| rule.is_factor() && touches(rule));
                let through = place.filter(|_| is_other).map(|rule| &rule.place.file);
                let through = through.map(|file| format!(" (it reads the stack of {file})"));
                let through = through.unwrap_or_default();
                reach.shut.push(format!("nobody could log in through {name}{through}: {reason}"));
            }
        }
        reach
    }

    /// Checks that the change shuts nobody out of a service, unless that is meant.
    ///
    /// # Errors
    /// [`Error::Refused`] with the services and the reasons.
    pub(super) fn check(&self, even_so: bool) -> Result<(), Error> {
        if even_so || self.shut.is_empty() {
            return Ok(());
        }
        Err(Error::refused(format!("not changed: {}; or use --even-so", self.shut.join("; "))))
    }

    /// Says which other services ask after the change that has a service ask, and how sshd lets
    /// users in without a code, once the change is made.
    pub(super) fn after_enable(&self) -> Vec<String> {
        let mut told = Vec::new();
        if !self.asking.is_empty() {
            let names = output::names(&self.asking);
            told.push(format!("These read its stack, and ask for a code too: {names}."));
        }
        for name in &self.silent {
            told.push(format!(
                "{name} of the same program asks for no code: run totpctl enable {name}."
            ));
        }
        for (command, name) in &self.missing {
            told.push(format!(
                "{command} asks for no code, because {name} has no file: {}.",
                how_to_create(name)
            ));
        }
        told.extend(by_ssh(&self.by_ssh));
        told
    }

    /// Says which other services ask no longer, if there are any.
    pub(crate) fn after_disable(&self) -> Option<String> {
        let names = output::names(&self.released);
        (!self.released.is_empty())
            .then(|| format!("These read its stack, and ask for no code either: {names}."))
    }
}

/// Checks that somebody can give a code in a service.
///
/// # Errors
/// [`Error::Refused`] with the reason.
pub(super) fn check_asks(service: &str) -> Result<(), Error> {
    match never_asking::reason(service) {
        Some(reason) => Err(Error::refused(format!("not changed: {reason}"))),
        None => Ok(()),
    }
}

/// `ways`: those by ssh that ask for no code.
fn by_ssh(ways: &[String]) -> Option<String> {
    let told = || format!("ssh asks for no code, nor for a factor, after: {}.", ways.join("; "));
    (!ways.is_empty()).then(told)
}

fn rules(service: &str, read: Read) -> Vec<Rule> {
    match Stack::parse(service, Kind::Auth, read) {
        Stack::Rules(rules) => rules,
        _ => Vec::new(),
    }
}

fn asks(rules: &[Rule]) -> bool {
    rules.iter().any(Rule::is_factor)
}

const OTHER: &str = "other";
const ONE_PROMPT: &str = "it has one prompt, and its stack would ask for a password and a code";

#[cfg(test)]
mod tests {
    use super::*;

    const LOGIN: &str = "auth required pam_unix.so\n";
    const ASKS: &str = "auth required pam_unix.so\nauth required pam_totp.so\n";

    /// What changing the text of `changed` does to i3lock, which includes login, and to atril,
    /// which has no file.
    fn found(changed: &str, old: &str, new: &str) -> Reach {
        let text = |name: &str, text: &str| match name {
            "i3lock" | "vlock" => Some("auth include login\n".to_owned()),
            _ if name == changed => Some(text.to_owned()),
            "login" | "su" => Some(LOGIN.to_owned()),
            _ => None,
        };
        let names = ["atril", "i3lock", "login", "su", "vlock"].map(ToOwned::to_owned);
        let has_one_prompt = |name: &str| name == "i3lock";
        Reach::find(
            &names,
            &[changed],
            (&|name| text(name, old), &|name| text(name, new)),
            &|_| true,
            &has_one_prompt,
        )
    }

    #[test]
    fn services_that_include_a_changed_file_are_named() {
        let reach = found("login", LOGIN, ASKS);
        assert_eq!(reach.asking, ["i3lock", "vlock"]);
        let expected = "nobody could log in through i3lock (it reads the stack of login): it has one prompt, \
                        and its stack would ask for a password and a code";
        assert_eq!(reach.shut, [expected]);
        assert!(reach.check(true).is_ok());
        let told = reach.check(false).unwrap_err().to_string();
        assert!(told.starts_with("not changed: nobody could log in through i3lock"), "{told}");
        let told = reach.after_enable();
        assert_eq!(told, ["These read its stack, and ask for a code too: i3lock, vlock (2)."]);
        let reach = found("login", ASKS, LOGIN);
        assert!(reach.released.len() == 2 && reach.check(false).is_ok(), "{reach:?}");
        assert!(reach.after_disable().is_some_and(|told| told.contains("i3lock, vlock (2)")));
    }

    #[test]
    fn a_key_that_is_enough_is_named() {
        let told = by_ssh(&["publickey".into(), "publickey (Match User bob)".into()]);
        let expected =
            "ssh asks for no code, nor for a factor, after: publickey; publickey (Match User bob).";
        assert_eq!(told.as_deref(), Some(expected));
        assert_eq!(by_ssh(&[]), None);
    }

    #[test]
    fn a_service_without_a_file_has_the_stack_of_other() {
        assert_eq!(found("other", LOGIN, ASKS).asking, ["atril"]);
        assert_eq!(found("su", LOGIN, ASKS), Reach::default());
    }

    #[test]
    fn a_program_with_one_prompt_is_shut_by_its_own_line_too() {
        let reach = found("i3lock", LOGIN, ASKS);
        assert_eq!(reach, Reach::default(), "its text is an include here");
        let one = |text: &'static str| {
            let read = move |name: &str| (name == "vsftpd").then(|| text.to_owned());
            Reach::find(&["vsftpd".into()], &["vsftpd"], (&|_| None, &read), &|_| true, &|_| true)
                .shut
        };
        assert_eq!(one(ASKS).len(), 1);
        assert_eq!(one("auth required pam_totp.so\n").len(), 0);
        let forwards = "auth required pam_totp.so forward_pass\n\
                        auth required pam_unix.so use_first_pass\n";
        assert_eq!(one(forwards).len(), 0);
    }
}
