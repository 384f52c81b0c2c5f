//! The ways to log in by ssh: each method, or each list of `AuthenticationMethods`. Whether a way
//! asks for a code is judged here, for one configuration and one stack.

use super::stack::PamStack;
use crate::host::door::{CodeNeed, Door};
use crate::host::sshd::config::effective::{Effective, Pam, RootLogin};
use crate::host::sshd::config::method::Method;
use crate::host::stack_code::GUARDED;

/// A way to log in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Way {
    /// The method, or the list as `AuthenticationMethods` spells it.
    pub(crate) methods: String,
    pub(crate) code: CodeNeed,
    /// Whether it uses PAM.
    pub(crate) uses_pam: bool,
    /// Whether PAM is all that it uses.
    pub(crate) is_pam_alone: bool,
    /// Whether sshd lets in without a code, and the guard then refuses.
    pub(crate) is_guarded: bool,
    /// Who is not asked.
    exceptions: Vec<String>,
}

/// Who logs in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Who {
    /// Users other than root.
    Anybody,
    Root,
}

impl Way {
    /// Returns the door. `who` is a phrase for the users, if not all use it.
    pub(crate) fn door(self, config: &Effective, who: Option<&str>) -> Door {
        let service = match &config.pam {
            Pam::Service(service) if self.uses_pam || self.is_guarded => Some(service.clone()),
            _ => None,
        };
        let exceptions = match self.code {
            CodeNeed::Asked | CodeNeed::Unanswerable(_) => self.exceptions,
            _ => Vec::new(),
        };
        Door {
            name: format!("ssh, {}", self.methods),
            service,
            who: who.map(str::to_owned),
            code: self.code,
            exceptions,
        }
    }

    /// Returns this way as it is for users who have these ways instead. Returns nothing if a part
    /// of it is one of them: that one says what a client comes to that offers all of its methods.
    pub(crate) fn among(&self, ways: &[Self]) -> Option<Self> {
        let offers = |list: &str| {
            let mut names = list.split(',').map(Method::parse);
            names.all(|name| self.methods.split(',').any(|own| Method::parse(own) == name))
        };
        let is_open = |way: &Self| !matches!(way.code, CodeNeed::Closed(_));
        if ways.iter().any(|way| offers(&way.methods) && is_open(way)) {
            return None;
        }
        let code = CodeNeed::Closed("no list of AuthenticationMethods names it".into());
        Some(Self { code, ..self.clone() })
    }

    /// Reports whether it is known that no login by it can succeed.
    pub(crate) fn is_shut(&self) -> bool {
        matches!(self.code, CodeNeed::Closed(_) | CodeNeed::Unanswerable(_))
    }

    /// Reports whether a login by it can succeed.
    pub(crate) fn is_usable(&self) -> bool {
        matches!(self.code, CodeNeed::Asked | CodeNeed::NotAsked)
    }
}

/// Returns the ways, usable or not. `refused_by` is the keyword that refuses the user before any
/// answer counts (`AllowUsers`), if one does.
pub(crate) fn ways(
    config: &Effective,
    stack: &PamStack,
    who: Who,
    refused_by: Option<&str>,
) -> Vec<Way> {
    let lists = config.lists.clone().unwrap_or_default();
    // Each method has a way of its own, unless a list says how it is used.
    let is_listed = |method: &Method| {
        lists.iter().any(|list| list.split(',').any(|name| Method::parse(name) == Some(*method)))
    };
    let singles = Method::ALL.into_iter().filter(|method| {
        let is_rare = matches!(method, Method::GssapiKeyex | Method::EmptyPassword);
        !is_listed(method) && (!is_rare || (config.lists.is_none() && is_on(config, *method)))
    });
    let singles = singles.map(|method| {
        let code = match config.lists {
            Some(_) => CodeNeed::Closed("no list of AuthenticationMethods names it".into()),
            None if !is_on(config, method) => {
                CodeNeed::Closed(format!("{} no", config.keyword(method)))
            }
            None => step(config, stack, who, method.name()),
        };
        way(config, stack, method.name(), code)
    });
    let listed = lists.iter().map(|list| {
        let code = match config.disabled_method(list) {
            Some(method) => CodeNeed::Closed(format!(
                "sshd skips this list, because {} is no",
                config.keyword(method)
            )),
            None => all(list.split(',').map(|name| step(config, stack, who, name))),
        };
        way(config, stack, list, code)
    });
    let mut ways: Vec<_> = listed.chain(singles).collect();
    close_after_guard(&mut ways);
    let refusal = match refused_by {
        _ if config.fault.is_some() => config.fault.clone(),
        _ if config.refuses => Some("RefuseConnection yes".to_owned()),
        Some(keyword) => {
            Some(format!("{keyword} excludes the user, and sshd gives PAM a wrong answer"))
        }
        None => None,
    };
    if let Some(reason) = refusal {
        let is_open = |way: &&mut Way| !matches!(way.code, CodeNeed::Closed(_));
        // Of lines that sshd cannot read, nothing else is known.
        for way in ways.iter_mut().filter(|way| config.fault.is_some() || is_open(way)) {
            way.code = CodeNeed::Closed(reason.clone());
        }
    }
    ways
}

/// Closes the lists that a login never completes, because it completes a list before whose methods
/// give no code. The guard then ends the connection.
fn close_after_guard(ways: &mut [Way]) {
    let guarded: Vec<_> =
        ways.iter().filter(|way| way.is_guarded).map(|way| way.methods.clone()).collect();
    for way in ways.iter_mut().filter(|way| way.is_usable()) {
        if guarded.iter().any(|list| is_completed_before(list, &way.methods)) {
            way.code = CodeNeed::Unanswerable(GUARDED.into());
            way.is_guarded = true;
        }
    }
}

/// Reports whether all methods of `list` have passed before the last one of `other`.
fn is_completed_before(list: &str, other: &str) -> bool {
    let methods = |list: &str| list.split(',').map(Method::parse).collect::<Vec<_>>();
    let mut left = methods(list).into_iter().peekable();
    for method in methods(other) {
        if left.peek().is_none() {
            return true;
        }
        left.next_if(|next| *next == method);
    }
    false
}

fn way(config: &Effective, stack: &PamStack, methods: &str, code: CodeNeed) -> Way {
    let is_pam = |name: &str| !Method::parse(name).is_some_and(Method::is_proof);
    let has_pam = matches!(config.pam, Pam::Service(_));
    let is_guarded = has_pam && stack.guard.is_some() && code == CodeNeed::NotAsked;
    let code = if is_guarded { CodeNeed::Unanswerable(GUARDED.into()) } else { code };
    let exceptions = if is_guarded { stack.guard.clone() } else { Some(stack.exceptions.clone()) };
    Way {
        methods: methods.to_owned(),
        code,
        is_guarded,
        uses_pam: has_pam && methods.split(',').any(is_pam),
        is_pam_alone: has_pam && methods.split(',').all(is_pam),
        exceptions: exceptions.unwrap_or_default(),
    }
}

/// Reports whether a method that no list names can be tried.
fn is_on(config: &Effective, method: Method) -> bool {
    match method {
        Method::EmptyPassword => config.empty_passwords && config.is_enabled(Method::Password),
        other => config.is_enabled(other),
    }
}

/// Returns what all steps of a list come to.
fn all(steps: impl Iterator<Item = CodeNeed>) -> CodeNeed {
    steps.max_by_key(rank).unwrap_or(CodeNeed::NotAsked)
}

/// Orders codes: what is harder to pass comes later.
fn rank(code: &CodeNeed) -> u8 {
    match code {
        CodeNeed::NotAsked => 0,
        CodeNeed::Asked => 1,
        CodeNeed::Unknown(_) => 2,
        CodeNeed::Unanswerable(_) => 3,
        CodeNeed::Closed(_) => 4,
    }
}

/// Returns what one method comes to. `name` may have a device (`keyboard-interactive:pam`).
fn step(config: &Effective, stack: &PamStack, who: Who, name: &str) -> CodeNeed {
    let Some(method) = Method::parse(name) else {
        return CodeNeed::Unknown(format!("the method {name} is not known here"));
    };
    let code = match method {
        Method::PublicKey if !config.accepts_keys => {
            CodeNeed::Closed("AuthorizedKeysFile none, so sshd knows no key".into())
        }
        method if method.is_proof() => CodeNeed::NotAsked,
        Method::EmptyPassword if !is_on(config, method) => {
            CodeNeed::Closed(format!("{} no", config.keyword(method)))
        }
        Method::Password if config.kerberos => CodeNeed::NotAsked,
        Method::EmptyPassword if config.kerberos => {
            CodeNeed::Closed("a KDC accepts no empty password".into())
        }
        Method::KeyboardInteractive => keyboard_interactive(config, stack, name),
        _ if !matches!(config.pam, Pam::Service(_)) => CodeNeed::NotAsked,
        method => match stack.code.clone() {
            CodeNeed::Asked if method == Method::EmptyPassword => {
                CodeNeed::Unanswerable("an empty answer is no code".into())
            }
            CodeNeed::Asked if !stack.takes_one_answer => CodeNeed::Unanswerable(ONE_ANSWER.into()),
            code => code,
        },
    };
    match who {
        Who::Anybody => code,
        Who::Root => of_root(config.root, method, code),
    }
}

fn keyboard_interactive(config: &Effective, stack: &PamStack, name: &str) -> CodeNeed {
    let device = name.split_once(':').map_or("pam", |(_, device)| device);
    match config.pam {
        Pam::Service(_) if config.tries_empty_password_first() => {
            CodeNeed::Closed(EMPTY_PASSWORD_FIRST.into())
        }
        Pam::Service(_) if device == "pam" => stack.code.clone(),
        Pam::Service(_) => CodeNeed::Closed(format!("sshd has no device {device}")),
        Pam::Off => CodeNeed::Closed("UsePAM no".into()),
        Pam::Missing => CodeNeed::Closed("this sshd is built without PAM".into()),
    }
}

/// Returns what a method comes to for root.
fn of_root(permit: RootLogin, method: Method, code: CodeNeed) -> CodeNeed {
    let value = permit.value();
    let allowed = match permit {
        RootLogin::Yes => true,
        RootLogin::No => false,
        RootLogin::ProhibitPassword => {
            matches!(method, Method::PublicKey | Method::GssapiWithMic | Method::Hostbased)
        }
        // A key opens the command that stands next to it, and no login.
        RootLogin::ForcedCommandsOnly => false,
    };
    match code {
        code if allowed => code,
        CodeNeed::Closed(reason) => CodeNeed::Closed(reason),
        CodeNeed::Asked if permit != RootLogin::No => CodeNeed::Unanswerable(format!(
            "PermitRootLogin {value} has sshd give PAM a wrong answer for root"
        )),
        CodeNeed::Unanswerable(reason) if permit != RootLogin::No => CodeNeed::Unanswerable(reason),
        _ => CodeNeed::Closed(format!("PermitRootLogin {value}")),
    }
}

const EMPTY_PASSWORD_FIRST: &str =
    "PermitEmptyPasswords yes: sshd tries an empty password first, and drops the login after it";
const ONE_ANSWER: &str =
    "the method password gives every prompt the password, and a password is no code";
