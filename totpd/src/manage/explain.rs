//! The explanation of a login that did not happen: which rule decides, and what comes of it.

use totpd_core::account::Account;
use totpd_core::enrollment;
use totpd_core::policy::{Burst, Decision, Judgment, Remember, Requirement, Rule};
use totpd_core::record::Outline;
use totpd_core::trust::Pass;
use totpd_core::verification::Method;
use totpd_interface::dictionary::DictReader as _;
use totpd_interface::login::{LoginContext, Nonce};
use totpd_interface::{DictBuilder, Dictionary, Error, JudgedRule};
use totpd_journal::escape::escape_within;

use crate::access::login_context::login_source;
use crate::daemon::Daemon;
use crate::daemon::rulebook::Rulebook;
use crate::daemon::trust;
use crate::host::clock;
use crate::login::outlook::{Circumstances, Outlook};
use crate::login::prompt::Wait;
use crate::login::ruling::{self, Scene, Seen};
use crate::login::why;
use crate::manage::authorization::AuthorizedCaller;
use crate::manage::rules::then;

/// A login to explain.
#[derive(Debug)]
pub(crate) struct Asked {
    context: LoginContext,
    at: Option<u64>,
}

impl Asked {
    /// Reads a login. The keys are those of a module, and `at`.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] if a key is unknown, or has no value that a login has.
    pub(crate) fn parse(login: &Dictionary) -> Result<Self, Error> {
        if let Some(key) = login.unknown_key(KEYS) {
            let key = escape_within(key, 64);
            return Err(Error::InvalidArgument(format!("{key} is no key of a login")));
        }
        let context = LoginContext::parse(login)?;
        let Some(_) = &context.service else {
            return Err(Error::InvalidArgument("service must be the name of a PAM service".into()));
        };
        if context.rhost.as_deref() == Some("seat") {
            let message = "\"seat\" is not in this version; name an address";
            return Err(Error::InvalidArgument(message.into()));
        }
        // The module of a login draws one. Here it leads to no factor.
        let nonce = context.enroll.then(|| Nonce::new([0; 16]));
        Ok(Self { context: LoginContext { nonce, ..context }, at: login.number64("at")? })
    }
}

/// Returns which rule decides about a login of a user by a program of root, and what comes of it.
/// The function that decides is that of a login. Nothing changes.
pub(crate) async fn explain(
    daemon: &Daemon,
    caller: &AuthorizedCaller,
    asked: &Asked,
) -> Result<(Dictionary, Vec<JudgedRule>), Error> {
    let (context, user) = (&asked.context, &caller.account);
    let (account, stored, is_damaged) = match daemon.read(user).await {
        Err(Error::StoreCorrupt(_)) => (daemon.substitute_for_damaged(user), None, true),
        stored => (user.clone(), stored?, false),
    };
    let record = account.record(stored);
    let now = asked.at.unwrap_or_else(clock::now);
    let (rulebook, mut seen) = (daemon.rulebook(), Vec::new());
    let is_unenrolled = account.uid.is_some_and(|uid| enrollment::may_skip(&record, uid));
    let scene = Scene {
        account: user,
        is_unenrolled,
        context,
        now: daemon.judging_time_at(&rulebook, now),
        lane: caller.caller.lane(),
    };
    let decision = ruling::decision(daemon, &rulebook, scene, Some(&mut seen)).await;
    let source = login_source(context, 0);
    let mut outline = Outline::from(record.clone());
    let place = ruling::place(context);
    let at_login = trust::Scene { account: &account, context, place, source: &source };
    let clocks = || daemon.clocks_at(now);
    let asking = Daemon::asking(at_login, &decision.requirement, clocks);
    let pass = daemon.would_let_by(&account.key, &mut outline, asking.as_ref());
    let of = Circumstances {
        context,
        account: &account,
        record: (!is_damaged).then_some(&record),
        wait: Wait::of(daemon, &mut outline, &source, now),
        self_service: daemon.config.self_service,
        now,
        pass,
    };
    let outlook = Outlook::new(&decision.requirement, &of);
    let rules = judged(user, context, &rulebook, &seen);
    let explained = explained(user, context, &decision);
    let explained = with_trust(explained, &decision.requirement, asking.is_some(), pass);
    let methods: Vec<String> = outlook.methods.iter().map(|method| word(*method)).collect();
    let explained = explained
        .with("at", now)
        .with("enrolled", record.is_enrolled() && record.belongs_to(account.current_uid()))
        .with("pam", outlook.pam)
        .with("reason", outlook.reason.token())
        .with("sentence", outlook.reason.sentence())
        .with("asks", outlook.asks)
        .with_some("shows", outlook.shows)
        .with("methods", methods);
    Ok((explained.into(), rules))
}

/// Returns the rules up to the one that decides, each with its judgment, and why.
fn judged(
    account: &Account,
    context: &LoginContext,
    rulebook: &Rulebook,
    seen: &[Seen<'_>],
) -> Vec<JudgedRule> {
    let user = account.key.as_row_name();
    let place = ruling::place(context);
    let describe = |((rule, judgment), (_, file)): (&Seen<'_>, (&Rule, &str))| {
        let (word, condition) = match judgment {
            Judgment::Fits => ("fits", ""),
            Judgment::Misfits(condition) => ("misfits", condition.key()),
            Judgment::Unknown(condition) => ("unknown", condition.key()),
        };
        let why = why::why(rule, *judgment, &user, context, place);
        let name = rule.name.as_str().to_owned();
        (name, file.to_owned(), then(rule).to_owned(), word.to_owned(), condition.to_owned(), why)
    };
    seen.iter().zip(rulebook.rules.placed()).map(describe).collect()
}

/// Returns what the rules say.
fn explained(account: &Account, context: &LoginContext, decision: &Decision<'_>) -> DictBuilder {
    let user = account.key.as_row_name();
    let (requirement, deadline) = match decision.requirement {
        Requirement::Code(..) => ("code", None),
        Requirement::Deny(_) => ("deny", None),
        Requirement::Skip(_) => ("skip", None),
        Requirement::EnrollUntil(deadline, _) => ("enroll", Some(deadline.0)),
    };
    let rule = decision.requirement.rule();
    DictBuilder::new()
        .with("user", user.to_string())
        .with("service", context.service.clone().unwrap_or_default())
        .with("from", why::origin(context, ruling::place(context)))
        .with_some("rule", rule.map(|rule| rule.name.as_str().to_owned()))
        .with("requirement", requirement)
        .with_some("deadline", deadline)
        .with("in_doubt", decision.is_in_doubt)
}

/// Adds what is remembered of earlier logins, and what would be of this one. `is_source` says that
/// this login has a source that can be remembered.
fn with_trust(
    explained: DictBuilder,
    requirement: &Requirement<'_>,
    is_source: bool,
    pass: Option<Pass>,
) -> DictBuilder {
    let (until, connections) = match pass {
        None => (None, None),
        Some(Pass::Remembered { until }) => (Some(until), None),
        Some(Pass::Burst { until, left }) => (Some(until), Some(u32::from(left))),
    };
    let explained =
        explained.with_some("remembered_until", until).with_some("connections", connections);
    let Requirement::Code(limits, _) = requirement else { return explained };
    let remember = limits.remember.map(Remember::seconds);
    let burst = limits.burst.map(Burst::seconds);
    match remember.is_some() || burst.is_some() {
        true if is_source => explained.with_some("remember", remember).with_some("burst", burst),
        true => explained.with("unremembered", true),
        false => explained,
    }
}

fn word(method: Method) -> String {
    let word = match method {
        Method::Hotp => "hotp",
        Method::Recovery => "recovery",
        Method::Totp => "totp",
    };
    word.to_owned()
}

/// The keys of a login.
const KEYS: &[&str] = &[
    "at",
    "enroll",
    "forward_pass",
    "nullok",
    "prompt",
    "quiet",
    "rhost",
    "ruser",
    "service",
    "show_names",
    "tty",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_has_a_service_and_no_other_keys_than_a_module_sends() {
        let login = |more: &[(&str, &str)]| {
            let built =
                more.iter().fold(DictBuilder::new(), |built, (key, value)| built.with(key, *value));
            Asked::parse(&Dictionary::from(built)).map_err(|error| error.to_string())
        };
        assert!(login(&[("service", "sshd"), ("rhost", "10.1.2.3"), ("tty", "ssh")]).is_ok());
        for (more, words) in [
            (&[("rhost", "10.1.2.3")][..], "service must be"),
            (&[("service", "")], "service must be"),
            (&[("service", "sshd"), ("colour", "red")], "colour is no key of a login"),
            (&[("service", "sshd"), ("nullok", "yes")], "nullok must be"),
            (&[("service", "sshd"), ("at", "tomorrow")], "at must be"),
            (&[("service", "sshd"), ("rhost", "seat")], "not in this version"),
        ] {
            let refused = login(more).unwrap_err();
            assert!(refused.contains(words), "{more:?}: {refused}");
        }
    }
}
