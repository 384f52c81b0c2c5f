//! The outlook of a login: what PAM gets, and what the person sees.

use totpd_core::account::Account;
use totpd_core::policy::Requirement;
use totpd_core::record::{Outline, Record};
use totpd_core::trust::Pass;
use totpd_core::verification::{Method, prospect};
use totpd_interface::login::LoginContext;

use crate::audit::reason::Reason;
use crate::login::course::Course;
use crate::login::prompt::{Wait, prompt_for};
use crate::login::ruling::{self, Passage};

/// What a login comes to if the person answers right.
#[derive(Debug)]
pub(crate) struct Outlook {
    /// What the module returns to libpam.
    pub(crate) pam: &'static str,
    /// The reason that the journal has.
    pub(crate) reason: Reason,
    /// The flag that the person is asked for something.
    pub(crate) asks: bool,
    /// The text that the person sees: the prompt, or a message.
    pub(crate) shows: Option<String>,
    /// The methods of the codes that would be accepted.
    pub(crate) methods: Vec<Method>,
}

/// What an outlook depends on besides the rules.
pub(crate) struct Circumstances<'a> {
    /// The service, the origin, and the options of the module.
    pub(crate) context: &'a LoginContext,
    /// The account, or its substitute if the record is damaged.
    pub(crate) account: &'a Account,
    /// The record of the account; `None` if it is damaged.
    pub(crate) record: Option<&'a Record>,
    /// The reason why an earlier code is enough.
    pub(crate) pass: Option<Pass>,
    /// What keeps a code from being looked at.
    pub(crate) wait: Option<Wait>,
    /// The flag that users may make factors.
    pub(crate) self_service: bool,
    /// The time, in seconds since 1970.
    pub(crate) now: u64,
}

impl Outlook {
    /// Returns the outlook of a login that has this requirement.
    pub(crate) fn new(requirement: &Requirement<'_>, of: &Circumstances<'_>) -> Self {
        let Circumstances { context, account, pass, wait, self_service, now, .. } = *of;
        let empty = Record::new(account.current_uid());
        let record = of.record.unwrap_or(&empty);
        let prompt =
            || Some(prompt_for(context, &Outline::from(record.clone()), account, wait, now));
        match Course::new(requirement, pass, context, account, record, self_service, now) {
            Course::LetBy(Passage { reason, .. }) if context.forward_pass => {
                Self { reason, asks: true, shows: prompt(), ..Self::PASSED }
            }
            Course::LetBy(Passage { reason, message, .. }) => {
                Self { reason, shows: message.filter(|_| !context.quiet), ..Self::PASSED }
            }
            Course::Nullok => Self { reason: Reason::SkippedNotEnrolled, ..Self::PASSED },
            Course::Enroll => Self {
                pam: "PAM_SUCCESS",
                reason: Reason::FactorShown,
                asks: true,
                shows: None,
                methods: vec![Method::Totp],
            },
            Course::Ask => {
                let (pam, reason, methods) = answered(requirement, of, record);
                Self { pam, reason, asks: true, shows: prompt(), methods }
            }
        }
    }

    const PASSED: Self = Self {
        pam: "PAM_IGNORE",
        reason: Reason::SkippedByRule,
        asks: false,
        shows: None,
        methods: Vec::new(),
    };
}

/// Returns what PAM gets for the best answer, why, and the methods of such answers.
fn answered(
    requirement: &Requirement<'_>,
    of: &Circumstances<'_>,
    record: &Record,
) -> (&'static str, Reason, Vec<Method>) {
    let throttled = |reason| ("PAM_MAXTRIES", reason, Vec::new());
    match of.wait {
        Some(Wait::Locked) => return throttled(Reason::Locked),
        Some(Wait::Throttled(_)) => return throttled(Reason::Waiting),
        Some(Wait::Void(_)) => return throttled(Reason::CodeVoid),
        None => {}
    }
    let denied = |reason| ("PAM_AUTH_ERR", reason, Vec::new());
    if matches!(requirement, Requirement::Deny(_)) {
        return denied(Reason::DeniedByRule);
    }
    if of.record.is_none() {
        return denied(Reason::RecordDamaged);
    }
    let (service, uid) = (of.context.service.as_deref(), of.account.current_uid());
    match prospect(record, uid, ruling::methods(requirement), service, of.now) {
        Ok(methods) => ("PAM_SUCCESS", Reason::CodeAccepted, methods),
        Err(reason) => denied(Reason::from_denial(reason)),
    }
}

#[cfg(test)]
mod tests {
    use totpd_core::fixtures::enrolled;
    use totpd_core::policy::{Deadline, Limits, Rule, RuleName, Then};
    use totpd_core::record_key::RecordKey;
    use totpd_core::user_name::UserName;
    use totpd_core::verification::Methods;

    use super::*;

    fn rule() -> Rule {
        let name = RuleName::parse("rule").unwrap();
        Rule { name, users: None, groups: None, services: None, from: None, then: Then::Skip }
    }

    /// Returns result, reason and text of a login, and whether it asks.
    fn outlook(
        requirement: Requirement<'_>,
        record: Option<&Record>,
        wait: Option<Wait>,
        context: &LoginContext,
    ) -> (&'static str, &'static str, bool, Option<String>) {
        let key = RecordKey::User(UserName::parse("alice").unwrap());
        let account = Account { key, uid: Some(1000), is_uncertain: false };
        let of = Circumstances {
            context,
            account: &account,
            record,
            pass: None,
            wait,
            self_service: true,
            now: 50,
        };
        let outlook = Outlook::new(&requirement, &of);
        (outlook.pam, outlook.reason.token(), outlook.asks, outlook.shows)
    }

    #[test]
    fn what_is_let_by_is_ignored_and_what_is_refused_asks() {
        let (rule, asked) = (rule(), Some("Verification code: ".to_owned()));
        let plain = LoginContext::default();
        let nullok = LoginContext { nullok: true, ..plain.clone() };
        let combined = LoginContext { forward_pass: true, ..plain.clone() };
        let (with, without) = (enrolled(1000), Record::new(1000));
        let told = Some("Enroll a second factor: 1 day left, run totpctl enroll".to_owned());
        let code = Requirement::DEFAULT;
        let until = Requirement::EnrollUntil(Deadline(60), &rule);
        let paper = Limits { methods: Methods::of(&[Method::Recovery]).unwrap(), ..Limits::NONE };
        let paper = Requirement::Code(paper, None);
        let locked = Some("Verification code (locked): ".to_owned());
        for (requirement, record, wait, context, expected) in [
            (
                Requirement::Skip(&rule),
                Some(&with),
                None,
                &plain,
                ("PAM_IGNORE", "skipped-by-rule", false, None),
            ),
            (
                Requirement::Skip(&rule),
                Some(&with),
                None,
                &combined,
                ("PAM_IGNORE", "skipped-by-rule", true, asked.clone()),
            ),
            (
                until,
                Some(&without),
                None,
                &plain,
                ("PAM_IGNORE", "skipped-until-deadline", false, told),
            ),
            (
                until,
                Some(&without),
                None,
                &combined,
                ("PAM_IGNORE", "skipped-until-deadline", true, asked.clone()),
            ),
            (
                Requirement::Deny(&rule),
                Some(&with),
                None,
                &nullok,
                ("PAM_AUTH_ERR", "denied-by-rule", true, asked.clone()),
            ),
            (
                Requirement::Deny(&rule),
                Some(&with),
                Some(Wait::Locked),
                &plain,
                ("PAM_MAXTRIES", "locked", true, locked),
            ),
            (
                code,
                Some(&with),
                None,
                &nullok,
                ("PAM_SUCCESS", "code-accepted", true, asked.clone()),
            ),
            (
                code,
                Some(&without),
                None,
                &nullok,
                ("PAM_IGNORE", "skipped-not-enrolled", false, None),
            ),
            (
                code,
                Some(&without),
                None,
                &plain,
                ("PAM_AUTH_ERR", "not-enrolled", true, asked.clone()),
            ),
            (code, None, None, &plain, ("PAM_AUTH_ERR", "record-damaged", true, asked.clone())),
            (
                paper,
                Some(&with),
                None,
                &plain,
                ("PAM_AUTH_ERR", "factor-restricted", true, asked.clone()),
            ),
        ] {
            let found = outlook(requirement, record, wait, context);
            assert_eq!(found, expected, "{requirement:?} {wait:?} {context:?}");
        }
    }

    #[test]
    fn a_factor_can_be_made_where_the_module_may_show_it() {
        use totpd_interface::login::Nonce;
        let context = LoginContext {
            enroll: true,
            tty: Some("ssh".into()),
            nonce: Some(Nonce::new([0; 16])),
            ..LoginContext::default()
        };
        let without = Record::new(1000);
        let expected = ("PAM_SUCCESS", "factor-shown-at-login", true, None);
        assert_eq!(outlook(Requirement::DEFAULT, Some(&without), None, &context), expected);
    }
}
