//! Logins that the daemon decides on this host, by the records of its store.

use std::sync::Arc;

use totpd_core::account::Account;
use totpd_core::enrollment;
use totpd_core::factor::FactorId;
use totpd_core::policy::{Decision, Requirement};
use totpd_core::record::Outline;
use totpd_core::source::Source;
use totpd_core::throttle::ThrottleState;
use totpd_core::trust::Asking;
use totpd_core::verification::{Answer, Attempt, Methods, Reason as DenialReason, Verdict};
use totpd_interface::Error;
use totpd_interface::login::{
    BeginReply, CompletionReply, GuardReply, LoginContext, Nonce, PasswordReply, VerifyReply,
};

use crate::access::caller::Caller;
use crate::access::login_context::login_source;
use crate::audit::event::{Event, LoginEvent, LoginOutcome, LoginScene};
use crate::audit::reason::Reason;
use crate::daemon::Daemon;
use crate::daemon::typed_answer::TypedAnswer;
use crate::host::clock;
use crate::login::completion;
use crate::login::course::Course;
use crate::login::exemption::{self, Standing};
use crate::login::first_login::{self, ENROLL_ELSEWHERE, FirstCode};
use crate::login::guard;
use crate::login::password;
use crate::login::prompt::{Wait, prompt_for};
use crate::login::reply::verify_reply;
use crate::login::ruling::{self, Scene};
use crate::login::service::{LoginService, PendingReply};

/// The login service of this host. Root asks for any user, everybody else for itself.
pub(crate) struct LocalLogin(pub(crate) Arc<Daemon>);

/// The result of one attempt.
struct Judgment {
    verdict: Verdict,
    /// The flag that the record of the account is damaged, so that the verdict is that of a bucket.
    is_damaged: bool,
    /// The flag that the attempt was the last allowed wrong code. The daemon looks at no further
    /// one.
    starts_lock: bool,
}

impl LoginService for LocalLogin {
    fn begin<'a>(
        &'a self,
        caller: Caller,
        user: &'a str,
        context: &'a LoginContext,
    ) -> PendingReply<'a, BeginReply> {
        Box::pin(self.begin(caller, user, context))
    }

    fn verify<'a>(
        &'a self,
        caller: Caller,
        user: &'a str,
        code: &'a str,
        context: &'a LoginContext,
    ) -> PendingReply<'a, VerifyReply> {
        Box::pin(self.verify(caller, user, code, context))
    }

    fn complete_enrollment<'a>(
        &'a self,
        caller: Caller,
        token: &'a str,
        context: &'a LoginContext,
    ) -> PendingReply<'a, CompletionReply> {
        Box::pin(completion::complete(&self.0, caller, token, context))
    }

    fn guard<'a>(
        &'a self,
        caller: Caller,
        user: &'a str,
        context: &'a LoginContext,
    ) -> PendingReply<'a, GuardReply> {
        Box::pin(guard::judge(&self.0, caller, user, context))
    }

    fn password_changed<'a>(
        &'a self,
        caller: Caller,
        user: &'a str,
    ) -> PendingReply<'a, PasswordReply> {
        Box::pin(password::changed(&self.0, caller, user))
    }
}

impl LocalLogin {
    async fn begin(
        &self,
        caller: Caller,
        user: &str,
        context: &LoginContext,
    ) -> Result<BeginReply, Error> {
        let account = self.0.account_for(caller, user).await?;
        let ruled = ruling::rulebook(&self.0, caller).map(|rulebook| (rulebook, account.clone()));
        // An enrolled user takes as many reads as a name that nobody has. A damaged record has a
        // substitute without an account, and its user makes no factor here.
        let (mut account, mut record) = self.0.record_for_login(account).await?;
        let source = &login_source(context, caller.uid);
        let (mut requirement, now) = (Requirement::DEFAULT, clock::now());
        if let Some((rulebook, ruled)) = &ruled {
            let is_unenrolled = account.uid.is_some_and(|uid| enrollment::may_skip(&record, uid));
            let now = self.0.judging_time(rulebook);
            let lane = caller.lane();
            let scene = Scene { account: ruled, is_unenrolled, context, now, lane };
            let by_rules = ruling::decision(&self.0, rulebook, scene, None);
            requirement = Box::pin(by_rules).await.requirement;
        }
        let may_enroll = self.0.config.self_service;
        let login = LoginScene { caller, account: &account, context, source };
        // With forward_pass, `Verify` says it.
        let asking = ruling::asking(&self.0, login, &requirement);
        let asking = asking.filter(|_| !context.forward_pass);
        let pass = self.0.let_by(&account.key, &mut record, asking.as_ref());
        let mut course =
            Course::new(&requirement, pass, context, &account, &record, may_enroll, now);
        if let (Course::Enroll, Some(nonce)) = (&course, context.nonce) {
            let offer = Box::pin(first_login::offer(&self.0, caller, &account, nonce, context));
            match offer.await {
                Ok(Some(reply)) => return Ok(reply),
                Ok(None) | Err(Error::StoreCorrupt(_)) => {}
                Err(error) => return Err(error),
            }
            // Another login may have made a factor in between.
            (account, record) = self.0.record_for_login(account).await?;
            course = Course::without_offer(&requirement, context, &account, &record);
        }
        let login = LoginScene { caller, account: &account, context, source };
        match course {
            Course::LetBy(passage) if !context.forward_pass => {
                let message = exemption::let_by(&self.0, login, passage);
                return Ok(BeginReply::Skip { message });
            }
            Course::Nullok => {
                let reason = Reason::SkippedNotEnrolled;
                let rule = requirement.rule().map(|rule| &rule.name);
                let event = LoginEvent::new(login, LoginOutcome::Skipped, reason);
                self.record(LoginEvent { rule, ..event });
                return Ok(BeginReply::Skip { message: None });
            }
            Course::LetBy(_) | Course::Enroll | Course::Ask => {}
        }
        if record.is_enrolled() && caller.is_root() {
            let (service, rhost) = (context.service.as_deref(), context.rhost.as_deref());
            self.0.subscribers.code_requested(record.uid, service, rhost);
        }
        Ok(self.prompt_for(&account, record, context, source))
    }

    /// Returns the prompt for a code.
    fn prompt_for(
        &self,
        account: &Account,
        mut record: Outline,
        context: &LoginContext,
        source: &Source,
    ) -> BeginReply {
        let now = clock::now();
        self.0.note_prompt(now);
        let wait = Wait::of(&self.0, &mut record, source, now);
        let text = prompt_for(context, &record, account, wait, now);
        let digits = record.digits().unwrap_or(self.0.config.defaults.digits);
        BeginReply::Prompt { text, digits: digits.into() }
    }

    async fn verify(
        &self,
        caller: Caller,
        user: &str,
        code: &str,
        context: &LoginContext,
    ) -> Result<VerifyReply, Error> {
        let account = self.0.account_for(caller, user).await?;
        let source = login_source(context, caller.uid);
        let login = LoginScene { caller, account: &account, context, source: &source };
        let (mut requirement, mut is_in_doubt, mut asking) = (Requirement::DEFAULT, false, None);
        let rulebook = ruling::rulebook(&self.0, caller);
        if let Some(rulebook) = &rulebook {
            let standing = Box::pin(exemption::standing(&self.0, &account)).await?;
            let Standing { is_unenrolled, record } = standing;
            let now = self.0.judging_time(rulebook);
            let lane = caller.lane();
            let scene = Scene { account: &account, is_unenrolled, context, now, lane };
            let by_rules = ruling::decision(&self.0, rulebook, scene, None);
            Decision { requirement, is_in_doubt, .. } = Box::pin(by_rules).await;
            asking = ruling::asking(&self.0, login, &requirement);
            let pass = record
                .and_then(|mut record| self.0.let_by(&account.key, &mut record, asking.as_ref()));
            if let Some(passage) = ruling::passage(&requirement, pass, context, clock::now()) {
                let message = exemption::let_by(&self.0, login, passage);
                return Ok(VerifyReply::Skipped { message });
            }
        }
        if context.enroll
            && ruling::may_enroll(&requirement)
            && let (Some(nonce), Some(factor)) = (context.nonce, &context.factor)
        {
            return Box::pin(self.verify_first_code(login, nonce, factor, code)).await;
        }
        let methods = ruling::methods(&requirement);
        let judgment = match self.judge(login.account, login, code, methods, asking).await {
            Err(Error::StoreCorrupt(_)) => {
                Box::pin(self.judge_without_record(login, code, methods)).await
            }
            judgment => judgment,
        };
        let Judgment { verdict, is_damaged, starts_lock } = judgment?;
        let is_unenrolled = matches!(verdict, Verdict::Denied(DenialReason::NotEnrolled));
        let event = match (&verdict, requirement) {
            (Verdict::Denied(_), Requirement::Deny(_)) => {
                LoginEvent::new(login, LoginOutcome::Denied, Reason::DeniedByRule)
            }
            _ if is_unenrolled && is_damaged => {
                LoginEvent::new(login, LoginOutcome::Denied, Reason::RecordDamaged)
            }
            _ => LoginEvent::from_verdict(login, &verdict),
        };
        let rule = requirement.rule().map(|rule| &rule.name);
        self.record(LoginEvent { rule, is_in_doubt, ..event });
        if starts_lock && account.loggable().is_some() {
            self.record(LoginEvent::new(login, LoginOutcome::Throttled, Reason::LockStarted));
        }
        if context.enroll && is_unenrolled && !is_damaged {
            return Ok(VerifyReply::Denied { message: Some(ENROLL_ELSEWHERE.into()) });
        }
        Ok(verify_reply(&verdict))
    }

    /// Judges `code` by the record of `account`, and remembers the login as `asking` says.
    async fn judge(
        &self,
        account: &Account,
        login: LoginScene<'_>,
        code: &str,
        methods: Methods,
        asking: Option<Asking>,
    ) -> Result<Judgment, Error> {
        let answer = match TypedAnswer::parse(code) {
            // The login is refused, and does not count. So a recovery code is not worth its hash.
            TypedAnswer::Other if methods == Methods::NONE => Answer::Malformed,
            _ => self.0.classify_answer(account, code, login.source).await?,
        };
        let attempt = Attempt {
            answer,
            factor: login.context.factor.clone(),
            methods,
            service: login.context.service.clone(),
            source: login.source.clone(),
            uid: account.current_uid(),
            now: clock::now(),
        };
        let (verdict, throttle) = self.0.judge(account, attempt, asking).await?;
        let starts_lock =
            matches!(verdict, Verdict::Denied(_)) && throttle == ThrottleState::Locked;
        Ok(Judgment { verdict, is_damaged: false, starts_lock })
    }

    /// Judges `code` if the record of the account is damaged. The login takes the same course as
    /// any other, and never ends in an approval.
    async fn judge_without_record(
        &self,
        login: LoginScene<'_>,
        code: &str,
        methods: Methods,
    ) -> Result<Judgment, Error> {
        let substitute = self.0.substitute_for_damaged(login.account);
        let Judgment { verdict, .. } = self.judge(&substitute, login, code, methods, None).await?;
        Ok(Judgment { verdict, is_damaged: true, starts_lock: false })
    }

    /// Verifies the first code of a factor that the daemon showed at this login.
    async fn verify_first_code(
        &self,
        login: LoginScene<'_>,
        nonce: Nonce,
        factor: &str,
        code: &str,
    ) -> Result<VerifyReply, Error> {
        let first_code = FirstCode { nonce, factor, code };
        let judged = first_login::verify(&self.0, login.account, login.context, first_code).await;
        let (reply, reason) = match judged {
            Err(Error::StoreCorrupt(_)) => {
                (VerifyReply::Denied { message: None }, Reason::RecordDamaged)
            }
            judged => judged?,
        };
        let outcome = match reply {
            VerifyReply::Approved { .. } => LoginOutcome::Approved,
            VerifyReply::Denied { .. } => LoginOutcome::Denied,
            VerifyReply::Skipped { .. } => LoginOutcome::Skipped,
            VerifyReply::Throttled { .. } => LoginOutcome::Throttled,
        };
        let factor = FactorId::parse(factor);
        self.record(LoginEvent { factor, ..LoginEvent::new(login, outcome, reason) });
        Ok(reply)
    }

    fn record(&self, event: LoginEvent<'_>) {
        self.0.audit.record(&Event::Login(event));
    }
}

#[cfg(test)]
mod tests;
