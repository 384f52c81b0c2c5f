//! What the rules of the administrator say of one login.

use std::sync::Arc;

use totpd_core::account::Account;
use totpd_core::policy::{
    Deadline, Decision, Fit, Groups, Judgment, Person, Place, Question, Requirement, Rule, decide,
};
use totpd_core::record_key::RecordKey;
use totpd_core::trust::{Asking, Pass};
use totpd_core::verification::{Method, Methods};
use totpd_interface::login::LoginContext;

use crate::access::caller::Caller;
use crate::access::login_context::origin;
use crate::audit::event::LoginScene;
use crate::audit::reason::Reason;
use crate::daemon::Daemon;
use crate::daemon::rulebook::Rulebook;
use crate::daemon::trust;
use crate::host::nss::Lane;

/// A login that needs no code, by a rule.
pub(crate) struct Passage<'r> {
    /// The rule.
    pub(crate) rule: &'r Rule,
    /// The reason for the journal.
    pub(crate) reason: Reason,
    /// The message for the person.
    pub(crate) message: Option<String>,
}

/// A login that rules judge.
pub(crate) struct Scene<'a> {
    /// The account.
    pub(crate) account: &'a Account,
    /// The flag that the account may make a factor.
    pub(crate) is_unenrolled: bool,
    /// The service and the origin.
    pub(crate) context: &'a LoginContext,
    /// The time, which is never before a deadline that passed.
    pub(crate) now: u64,
    /// The lane in which NSS is asked.
    pub(crate) lane: Lane,
}

/// Returns the rules that decide about logins of `caller`, if there are any. They look at the place
/// and the service, and only root is believed about these.
pub(crate) fn rulebook(daemon: &Daemon, caller: Caller) -> Option<Arc<Rulebook>> {
    let rulebook = caller.is_root().then(|| daemon.rulebook());
    rulebook.filter(|rulebook| !rulebook.policy().is_empty())
}

/// A rule that a decision looked at, and its judgment.
pub(crate) type Seen<'r> = (&'r Rule, Judgment);

/// Returns what a login needs. NSS is asked for groups only if a rule needs them. Puts into `seen`
/// the rules up to the one that decides.
pub(crate) async fn decision<'r>(
    daemon: &Daemon,
    rulebook: &'r Rulebook,
    scene: Scene<'_>,
    mut seen: Option<&mut Vec<Seen<'r>>>,
) -> Decision<'r> {
    let mut question = Question {
        user: person(scene.account),
        is_unenrolled: scene.is_unenrolled,
        service: scene.context.service.as_deref(),
        place: place(scene.context),
        groups: &Groups::UNKNOWN,
        now: scene.now,
    };
    let mut decide_with = |question: &Question<'_>| {
        let mut seen = seen.as_deref_mut();
        // The rules of an earlier walk, without groups.
        seen.iter_mut().for_each(|seen| seen.clear());
        decide(rulebook.policy(), question, |rule, judgment| {
            seen.iter_mut().for_each(|seen| seen.push((rule, judgment)));
        })
    };
    let decision = decide_with(&question);
    match &scene.account.key {
        RecordKey::User(user) if decision.lacks_people => {
            let groups = daemon.groups(scene.lane, rulebook, user).await;
            question.groups = &groups;
            decide_with(&question)
        }
        RecordKey::Bucket(_) if decision.lacks_people => {
            daemon.report_unknown_people();
            decision
        }
        _ => decision,
    }
}

/// Returns the place of a login, as far as rules believe it.
pub(crate) fn place(context: &LoginContext) -> Place {
    Place::locate(&origin(context), Fit::Unknown)
}

/// Returns what a login asks of what is remembered. A caller that is not root is not believed about
/// its source.
pub(crate) fn asking(
    daemon: &Daemon,
    login: LoginScene<'_>,
    requirement: &Requirement<'_>,
) -> Option<Asking> {
    let LoginScene { caller, account, context, source } = login;
    if !caller.is_root() {
        return None;
    }
    let scene = trust::Scene { account, context, place: place(context), source };
    Daemon::asking(scene, requirement, || daemon.clocks())
}

fn person(account: &Account) -> Person<'_> {
    match account.loggable() {
        Some(name) => Person::Account(name),
        None if account.is_uncertain => Person::Unknown,
        None => Person::Nobody,
    }
}

/// Returns the passage of a login that needs no code. `pass` says that an earlier login gave one.
/// With `forward_pass` it has no message: there a code is asked before the password, and the
/// message would tell a stranger who has no factor.
pub(crate) fn passage<'r>(
    requirement: &Requirement<'r>,
    pass: Option<Pass>,
    context: &LoginContext,
    now: u64,
) -> Option<Passage<'r>> {
    match requirement {
        Requirement::Skip(rule) => {
            Some(Passage { rule, reason: Reason::SkippedByRule, message: None })
        }
        Requirement::EnrollUntil(deadline, rule) => Some(Passage {
            rule,
            reason: Reason::SkippedUntilDeadline,
            message: (!context.forward_pass).then(|| countdown(*deadline, now)),
        }),
        Requirement::Code(_, Some(rule)) => pass.map(|pass| {
            let reason = match pass {
                Pass::Remembered { .. } => Reason::SkippedRemembered,
                Pass::Burst { .. } => Reason::SkippedInBurst,
            };
            Passage { rule, reason, message: None }
        }),
        Requirement::Code(_, None) | Requirement::Deny(_) => None,
    }
}

/// Returns the methods whose codes count at a login that needs a code. A refused login is asked for
/// one too.
pub(crate) fn methods(requirement: &Requirement<'_>) -> Methods {
    match requirement {
        Requirement::Code(limits, _) => limits.methods,
        Requirement::Deny(_) | Requirement::Skip(_) | Requirement::EnrollUntil(..) => Methods::NONE,
    }
}

/// Reports whether the option `nullok` counts. It does not outlive a deadline, and a rule that
/// passes or refuses the login needs no option.
pub(crate) fn allows_nullok(requirement: &Requirement<'_>) -> bool {
    matches!(requirement, Requirement::Code(limits, _) if !limits.ends_nullok)
}

/// Reports whether a user without a factor may make one at this login.
pub(crate) fn may_enroll(requirement: &Requirement<'_>) -> bool {
    methods(requirement).include(Method::Totp)
}

fn countdown(deadline: Deadline, now: u64) -> String {
    let days = deadline.0.saturating_sub(now).div_ceil(86_400).max(1);
    let unit = if days == 1 { "day" } else { "days" };
    format!("Enroll a second factor: {days} {unit} left, run totpctl enroll")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::login::prompt::MAX_COLUMNS;

    #[test]
    fn the_countdown_counts_begun_days_and_is_on_the_page_of_messages() {
        let page = include_str!("../../../docs/reference/messages.md");
        let day = 86_400;
        for (left, expected) in
            [(12 * day, "12 days"), (11 * day + 1, "12 days"), (day, "1 day"), (1, "1 day")]
        {
            let text = countdown(Deadline(5000 + left), 5000);
            assert!(text.contains(&format!(": {expected} left")), "{text}");
            assert!(text.len() < MAX_COLUMNS, "{text}");
        }
        let text = countdown(Deadline(12 * day), 0);
        assert!(page.contains(&format!("`{text}`")), "{text}");
    }
}
