//! What a configuration of sshd means for the code. Its ways (`way.rs`) say which of them ask.

use super::stack::PamStack;
use super::way::{Way, Who, ways};
use crate::host::door::CodeNeed;
use crate::host::sshd::config::effective::{Effective, Pam, RootLogin, USUAL_SERVICE};
use crate::host::sshd::config::method::Method;

/// An effect of sshd's configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Effect {
    /// A user other than root cannot log in: why.
    NobodyCanLogIn(String),
    /// keyboard-interactive is turned off, so the logins that succeed are not asked for a code.
    CannotAsk,
    /// `PermitEmptyPasswords` keeps keyboard-interactive from asking for a code.
    EmptyPasswordFirst,
    /// A code is enough, without a password or a key.
    CodeAlone,
    /// The PAM service of sshd asks for no code.
    ServiceWithoutCode(String),
    /// A proof without a code is enough.
    Alone(Proof),
    /// A proof without a code is enough for sshd, and the guard then ends the connection.
    GuardEndsLogins,
    /// A list of `AuthenticationMethods` asks for no code.
    MethodsWithoutCode(String),
    /// `UsePAM no`.
    NoPam,
    /// This sshd is built without PAM.
    PamMissing,
    /// ssh offers a password that nobody can answer with, or nobody who has a factor (`nullok`).
    PasswordCannotAnswer { is_for_all: bool },
    /// A password alone lets users in, although the method `password` is turned off.
    PasswordAlone,
    /// root cannot log in, although others can: the value of `PermitRootLogin`, and whether a guard
    /// refuses the key of root.
    RootCannotLogIn { permit: RootLogin, is_guarded: bool },
}

/// A proof without a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Proof {
    Gssapi,
    Hostbased,
    /// The password of a KDC, which sshd itself asks.
    Kerberos,
    Key,
}

/// Returns the effects on users other than root.
pub(crate) fn effects(
    config: &Effective,
    stack: &PamStack,
    refused_by: Option<&str>,
) -> Vec<Effect> {
    if let Some(fault) = &config.fault {
        return vec![Effect::NobodyCanLogIn(fault.clone())];
    }
    match &config.pam {
        Pam::Service(service) if !stack.asks && service != USUAL_SERVICE => {
            return vec![Effect::ServiceWithoutCode(service.clone())];
        }
        Pam::Service(_) => {}
        Pam::Off => return vec![Effect::NoPam],
        Pam::Missing => return vec![Effect::PamMissing],
    }
    // A user who is refused was meant to be.
    if !stack.asks || matches!(stack.code, CodeNeed::Closed(_)) || refused_by.is_some() {
        return Vec::new();
    }
    let ways = ways(config, stack, Who::Anybody, None);
    if ways.iter().all(Way::is_shut) && !has_guarded(&ways) {
        return vec![Effect::NobodyCanLogIn(reason(config, &ways))];
    }
    let mut found = Vec::new();
    let asks = ways.iter().any(|way| matches!(way.code, CodeNeed::Asked | CodeNeed::Unknown(_)));
    if !config.is_enabled(Method::KeyboardInteractive) && !asks {
        found.push(Effect::CannotAsk);
    } else if config.tries_empty_password_first() && !asks {
        found.push(Effect::EmptyPasswordFirst);
    }
    found.extend(ways.iter().filter_map(|way| of_way(config, stack, way)));
    found.dedup();
    found
}

/// Reports whether a password alone lets users in by keyboard-interactive, although the method
/// `password` is turned off. Without a code that is hardly meant.
pub(crate) fn takes_password_alone(
    config: &Effective,
    stack: &PamStack,
    who: Who,
    refused_by: Option<&str>,
) -> bool {
    let is_open = |way: &Way| {
        let method = way.methods.split(',').next().and_then(Method::parse);
        way.is_pam_alone
            && way.code == CodeNeed::NotAsked
            && method == Some(Method::KeyboardInteractive)
    };
    !stack.asks
        && stack.has_password
        && !config.is_enabled(Method::Password)
        && ways(config, stack, who, refused_by).iter().any(is_open)
}

/// Reports whether this user has no way in without a password of this host, and has one with it,
/// after a key or the like.
pub(crate) fn needs_password_after_proof(
    config: &Effective,
    stack: &PamStack,
    who: Who,
    refused_by: Option<&str>,
) -> bool {
    let has_way = |way: &Way| way.uses_pam && !way.is_pam_alone && !way.is_shut();
    let without_password =
        PamStack { code: CodeNeed::Unanswerable("no password".into()), ..stack.clone() };
    stack.needs_local_password
        && ways(config, stack, who, refused_by).iter().any(has_way)
        && ways(config, &without_password, who, refused_by).iter().all(Way::is_shut)
}

/// Returns the effect of one way.
fn of_way(config: &Effective, stack: &PamStack, way: &Way) -> Option<Effect> {
    match &way.code {
        _ if way.is_guarded => Some(Effect::GuardEndsLogins),
        CodeNeed::Asked if way.is_pam_alone && stack.is_code_alone => Some(Effect::CodeAlone),
        CodeNeed::NotAsked
            if config.lists.is_some() && !(way.uses_pam && stack.code == CodeNeed::NotAsked) =>
        {
            Some(Effect::MethodsWithoutCode(way.methods.clone()))
        }
        CodeNeed::NotAsked if config.lists.is_none() => match Method::parse(&way.methods)? {
            Method::PublicKey => Some(Effect::Alone(Proof::Key)),
            Method::GssapiKeyex | Method::GssapiWithMic => Some(Effect::Alone(Proof::Gssapi)),
            Method::Hostbased => Some(Effect::Alone(Proof::Hostbased)),
            Method::Password if config.kerberos => Some(Effect::Alone(Proof::Kerberos)),
            _ => None,
        },
        CodeNeed::Unanswerable(_) if way.methods == Method::Password.name() => {
            Some(Effect::PasswordCannotAnswer { is_for_all: stack.exceptions.is_empty() })
        }
        _ => None,
    }
}

/// Returns why no list of `AuthenticationMethods` is usable, or without lists, why no method is.
fn reason(config: &Effective, ways: &[Way]) -> String {
    let kind = if config.lists.is_some() { "AuthenticationMethods" } else { "method" };
    // With lists, a method that none names is no reason.
    let is_tried =
        |way: &&Way| config.lists.as_ref().is_none_or(|lists| lists.contains(&way.methods));
    let reasons: Vec<_> = ways
        .iter()
        .filter(is_tried)
        .filter_map(|way| match &way.code {
            CodeNeed::Closed(reason) | CodeNeed::Unanswerable(reason) => {
                Some(format!("{kind} {}: {reason}", way.methods))
            }
            CodeNeed::Asked | CodeNeed::NotAsked | CodeNeed::Unknown(_) => None,
        })
        .collect();
    reasons.join("; ")
}

/// Reports whether a guard shuts a way. A rule of the daemon may let users by all the same.
fn has_guarded(ways: &[Way]) -> bool {
    ways.iter().any(|way| way.is_guarded)
}

/// Reports whether a key of root may open the command that stands next to it. A guard refuses that,
/// too, because the key gives no code.
fn lets_commands_in(config: &Effective, stack: &PamStack) -> bool {
    let is_guarded = matches!(config.pam, Pam::Service(_)) && stack.guard.is_some();
    config.root == RootLogin::ForcedCommandsOnly && !is_guarded
}

/// Reports whether root could log in, or run the command next to a key, if there were no lists of
/// `AuthenticationMethods`.
fn has_way_without_lists(config: &Effective, stack: &PamStack) -> bool {
    let mut free = config.clone();
    let had_lists = free.lists.take().is_some();
    let runs_commands = lets_commands_in(&free, stack) && free.is_enabled(Method::PublicKey);
    let is_open = |way: &Way| !way.is_shut();
    had_lists && (runs_commands || ways(&free, stack, Who::Root, None).iter().any(is_open))
}

/// Returns the effect on root. `others_log_in`: whether a user other than root can log in.
pub(crate) fn root_effect(
    config: &Effective,
    stack: &PamStack,
    refused_by: Option<&str>,
    others_log_in: bool,
) -> Option<Effect> {
    if let Some(fault) = &config.fault {
        return Some(Effect::NobodyCanLogIn(fault.clone()));
    }
    let ways_of = |who| ways(config, stack, who, refused_by);
    // A key still opens the commands that stand next to it, if no list requires more.
    let keeps_commands = lets_commands_in(config, stack)
        && config.lists.as_ref().is_none_or(|lists| lists.iter().any(|list| list == "publickey"));
    let is_meant = config.root == RootLogin::No || keeps_commands || refused_by.is_some();
    let of_root = ways_of(Who::Root);
    if !others_log_in || is_meant || !of_root.iter().all(Way::is_shut) {
        return None;
    }
    // Without a code, only a list that takes the last way of root is of interest.
    if !stack.asks && !has_way_without_lists(config, stack) {
        return None;
    }
    // PermitRootLogin is no reason where nobody else could log in.
    let of_others = ways_of(Who::Anybody);
    Some(match of_others.iter().all(Way::is_shut) {
        true if has_guarded(&of_others) => Effect::GuardEndsLogins,
        true => Effect::NobodyCanLogIn(reason(config, &of_others)),
        false => Effect::RootCannotLogIn { permit: config.root, is_guarded: has_guarded(&of_root) },
    })
}
