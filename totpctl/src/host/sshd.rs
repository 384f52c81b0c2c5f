//! What sshd does on this host, as it answers.

pub(crate) mod case;
pub(crate) mod config;
mod connections;
mod interview;
pub(crate) mod launch;
pub(crate) mod pattern;
pub(crate) mod question;
mod quoted_words;
pub(crate) mod reload;
pub(crate) mod survey;
pub(crate) mod ways;

use std::cell::OnceCell;
use std::collections::BTreeSet;

use self::config::effective::{Effective, Pam, USUAL_SERVICE};
use self::config::method::Method;
use self::connections::connection::Connection;
use self::launch::socket;
use self::question::ask;
use self::survey::Survey;
use self::ways::password_after_key::{self, ShutUser};
use self::ways::stack;
use super::shadow::Lacking;
use crate::program;

/// Returns the answers of sshd, if there is one and it answers root.
pub(crate) fn host_survey() -> Option<&'static Survey> {
    if program::path("sshd").is_none() || !nix::unistd::geteuid().is_root() {
        return None;
    }
    Survey::of_host().ok()
}

/// Returns the port for a login by ssh, if it is not the usual one, for root. A socket of systemd
/// has a port of its own.
pub(crate) fn unusual_port() -> Option<String> {
    let of_config = || Some(host_survey()?.everybody.config.listening.ports.clone());
    let ports = socket::ports().filter(|ports| !ports.is_empty()).or_else(of_config)?;
    let is_usual = ports.iter().any(|port| port == USUAL_PORT);
    ports.into_iter().next().filter(|_| !is_usual)
}

/// Reports whether the program of a service requires a key, a ticket or a trusted host before every
/// use of PAM. Only sshd can; `None` if its configuration is not known.
pub(crate) fn requires_other_method(service: &str) -> Option<bool> {
    if service != "sshd" || program::path("sshd").is_none() {
        return Some(false);
    }
    if !nix::unistd::geteuid().is_root() {
        return None;
    }
    pam_is_nowhere_first(Survey::of_host().ok()?)
}

/// Reports whether nobody comes to PAM first; `None` if what is known does not tell.
pub(crate) fn pam_is_nowhere_first(survey: &Survey) -> Option<bool> {
    let configs = survey.configs();
    if configs.iter().flatten().any(|config| !pam_is_never_first(config)) {
        return Some(false);
    }
    configs.iter().all(Option::is_some).then_some(true)
}

/// Reports whether each list of `AuthenticationMethods` has another method before the one that uses
/// PAM. sshd skips a list with a method that is turned off.
pub(crate) fn pam_is_never_first(config: &Effective) -> bool {
    if config.fault.is_some() {
        return true;
    }
    let Some(lists) = &config.lists else {
        // A staged roll-out turns both off for the rest.
        let is_on = |method| config.is_enabled(method);
        return is_on(Method::PublicKey)
            && !is_on(Method::KeyboardInteractive)
            && !is_on(Method::Password);
    };
    lists.iter().filter(|list| config.disabled_method(list).is_none()).all(|list| {
        let first = list.split(',').next().and_then(Method::parse);
        first.is_some_and(Method::is_proof)
    })
}

/// Reports whether sshd uses a PAM service for anybody, for root.
pub(crate) fn uses_service(service: &str) -> bool {
    let configs = host_survey().map(Survey::configs).unwrap_or_default();
    configs.into_iter().flatten().any(|config| config.pam == Pam::Service(service.to_owned()))
}

/// Returns the lists of `AuthenticationMethods` that use PAM, each once, for root.
pub(crate) fn lists_with_pam() -> Vec<String> {
    if program::path("sshd").is_none() || !nix::unistd::geteuid().is_root() {
        return Vec::new();
    }
    let Ok(survey) = Survey::of_host() else { return Vec::new() };
    let lists = survey.configs().into_iter().flatten().filter_map(|config| config.lists.as_ref());
    let uses_pam = |list: &&String| {
        let methods = list.split(',').map(|word| word.split(':').next().unwrap_or_default());
        methods.into_iter().any(|method| method == "keyboard-interactive")
    };
    let lists: BTreeSet<_> = lists.flatten().filter(uses_pam).cloned().collect();
    lists.into_iter().collect()
}

/// Returns the local users who transfer files without a shell, each with the block that lets them.
/// `is_person` reports whether a uid is that of a person.
pub(crate) fn sftp_users(is_person: impl Fn(u32) -> bool) -> Vec<(String, Option<String>)> {
    host_survey().map(|survey| survey.sftp_users(is_person)).unwrap_or_default()
}

/// The users who cannot log in for want of a password.
pub(crate) struct ShutOut {
    pub(crate) users: Vec<ShutUser>,
    /// The line that requires more than a key.
    pub(crate) place: Option<(String, usize)>,
}

/// Returns those of these users without a password who cannot log in for want of one; nothing if
/// there are none. `read` returns the files of PAM.
pub(crate) fn shut_without_password(
    read: &dyn Fn(&str) -> Option<String>,
    lacking: &[Lacking],
) -> Option<ShutOut> {
    let survey = host_survey()?;
    let facts = OnceCell::new();
    let facts = |service: &str| match service {
        USUAL_SERVICE => facts.get_or_init(|| stack::facts(USUAL_SERVICE, read)).clone(),
        other => stack::facts(other, read),
    };
    let ask = |user: &str| {
        let ports = &survey.everybody.config.listening.ports;
        let connection = Connection::usual(user, ports.first()?);
        Some(ask(Some(&connection.argument())).ok()?.config)
    };
    // One answer takes some 20 ms.
    let lacking = lacking.get(..MAX_QUESTIONS).unwrap_or(lacking);
    let users = password_after_key::shut_out(survey, &facts, lacking, &ask);
    let usual = || survey.everybody.trace.place(&["AuthenticationMethods"]);
    let place = match users.iter().find(|user| user.block.is_none()) {
        Some(_) => usual(),
        None => users.first().and_then(|user| user.block.clone()),
    };
    (!users.is_empty()).then_some(ShutOut { users, place })
}

const USUAL_PORT: &str = "22";

/// How many users sshd is asked about at most.
const MAX_QUESTIONS: usize = 20;
