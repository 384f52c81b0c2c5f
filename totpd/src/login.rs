//! The interface `org.totpd.Totp1.Login`: what PAM modules ask.

use std::sync::Arc;

use totpd_core::account::Account;
use totpd_core::authorization::Operation;
use totpd_core::enrollment;
use totpd_core::source::Source;
use totpd_core::throttle::ThrottleState;
use totpd_core::verification::{Attempt, Reason, Verdict, verify};
use totpd_interface::login::{BeginReply, CompletionReply, LoginContext, VerifyReply};
use totpd_interface::{Dictionary, Error, verdict};
use totpd_journal::Entry;

use crate::access::caller::Caller;
use crate::access::login_context::{is_at_terminal, login_source, trusted_context};
use crate::audit::login::{AttemptEvent, DAMAGED, decision, of_attempt, topic};
use crate::daemon::Daemon;
use crate::host::clock;
use crate::login::prompt::{prompt, with_names};
use crate::login::reply::verify_reply;

mod enrollment_screen;
mod first_login;
mod prompt;
mod reply;

/// Serves `org.totpd.Totp1.Login`.
#[derive(Clone)]
pub(crate) struct Login(pub(crate) Arc<Daemon>);

/// For PAM modules. Root asks for any user, everybody else for itself.
impl Login {
    /// `Begin`: what to do with this user at this login.
    ///
    /// # Errors
    /// As the contract has them.
    pub(crate) async fn begin_for(
        &self,
        caller: Caller,
        user: &str,
        context: &Dictionary,
    ) -> Result<BeginReply, Error> {
        let context = trusted_context(context, caller)?;
        if context.enroll
            && is_at_terminal(&context)
            && let Some(nonce) = context.nonce
        {
            match first_login::offer(&self.0, user, nonce, &context).await {
                Ok(Some(offer)) => return Ok(offer),
                // Who has a record, damaged or not, makes no factor here.
                Ok(None) | Err(Error::StoreCorrupt(_)) => {}
                Err(error) => return Err(error),
            }
        }
        let mut target = self.0.account_for(caller, user).await?;
        let mut record = match self.0.stored_record(&target).await {
            Err(Error::StoreCorrupt(_)) => {
                target = self.0.instead_of_damaged(&target);
                self.0.stored_record(&target).await?
            }
            stored => stored?,
        };
        if context.nullok
            && let Some(uid) = target.uid
            && enrollment::may_skip(&record, uid)
        {
            let source = login_source(&context, caller.uid);
            let name = target.loggable();
            let entry = decision(name, &context, &source, "skipped", "not enrolled");
            self.log(caller, &entry, name, (&context, &source), "skipped");
            return Ok(BeginReply::Skip);
        }
        let (now, rules) = (clock::now(), &self.0.config.rules.throttle);
        record.throttle.expire_and_clamp(now, rules);
        let state = record.throttle.state(&login_source(&context, caller.uid), now, rules);
        if record.is_enrolled() && caller.is_root() {
            let (service, rhost) = (context.service.clone(), context.rhost.clone());
            self.0.watchers.code_requested(record.uid, service, rhost);
        }
        // A recreated account is not told what its predecessor had.
        let named = context.show_names && record.belongs_to(target.current_uid());
        let text = match state {
            ThrottleState::Open if named => {
                with_names(context.prompt.as_deref(), &context, &record, now)
            }
            _ => prompt(context.prompt.as_deref(), state),
        };
        let digits = record.digits().unwrap_or(self.0.config.defaults.digits);
        Ok(BeginReply::Prompt { text, digits: digits.into() })
    }

    /// `Verify`: spends one attempt. An approved code is used up on disk before this answers.
    ///
    /// # Errors
    /// As the contract has them.
    pub(crate) async fn verify_for(
        &self,
        caller: Caller,
        user: &str,
        code: &str,
        context: &Dictionary,
    ) -> Result<VerifyReply, Error> {
        let target = self.0.account_for(caller, user).await?;
        let context = trusted_context(context, caller)?;
        let source = login_source(&context, caller.uid);
        let name = target.loggable();
        if context.enroll
            && let (Some(nonce), Some(factor)) = (context.nonce, &context.factor)
        {
            let shown = (nonce, factor.as_str());
            let judged = first_login::judge(&self.0, &target, shown, code, &context).await;
            let (reply, reason) = match judged {
                Err(Error::StoreCorrupt(_)) => (VerifyReply::Denied { message: None }, DAMAGED),
                judged => judged?,
            };
            let entry = decision(name, &context, &source, reply.word(), reason);
            let entry = entry.with("TOTP_FACTOR", factor);
            self.log(caller, &entry, name, (&context, &source), reply.word());
            return Ok(reply);
        }
        let (event, is_locked) = match self.judge(&target, code, &context, &source).await {
            Err(Error::StoreCorrupt(_)) => {
                // The login goes on like any other, and nothing that it comes to is a yes.
                let other = self.0.instead_of_damaged(&target);
                match self.judge(&other, code, &context, &source).await? {
                    (Verdict::Denied(Reason::NotEnrolled), _) => {
                        (AttemptEvent::DamagedRecord, false)
                    }
                    (verdict, _) => (AttemptEvent::Judged(verdict), false),
                }
            }
            judged => {
                let (verdict, is_locked) = judged?;
                (AttemptEvent::Judged(verdict), is_locked)
            }
        };
        let reply = match &event {
            AttemptEvent::DamagedRecord => VerifyReply::Denied { message: None },
            AttemptEvent::Judged(verdict) => verify_reply(verdict),
        };
        let entry = of_attempt(name, &context, &source, &event);
        self.log(caller, &entry, name, (&context, &source), reply.word());
        if is_locked && name.is_some() {
            decision(name, &context, &source, verdict::THROTTLED, LOCKED).write();
        }
        let is_unenrolled =
            matches!(event, AttemptEvent::Judged(Verdict::Denied(Reason::NotEnrolled)));
        if context.enroll && is_unenrolled {
            return Ok(VerifyReply::Denied { message: Some(first_login::ENROLL_ELSEWHERE.into()) });
        }
        Ok(reply)
    }

    /// Judges `code` by the record of `target`. Answers also whether this wrong code was the last one allowed: no
    /// further one is looked at from there.
    async fn judge(
        &self,
        target: &Account,
        code: &str,
        context: &LoginContext,
        source: &Source,
    ) -> Result<(Verdict, bool), Error> {
        let one = Attempt {
            answer: self.0.answer(target, code, source).await?,
            factor: context.factor.clone(),
            service: context.service.clone(),
            source: source.clone(),
            uid: target.current_uid(),
            now: clock::now(),
        };
        let rules = self.0.config.rules.clone();
        self.0
            .update(target, move |record| {
                let (verdict, record) = verify(record, &one, &rules);
                let state = record.throttle.state(&one.source, one.now, &rules.throttle);
                let is_locked =
                    matches!(verdict, Verdict::Denied(_)) && state == ThrottleState::Locked;
                ((verdict, is_locked), record)
            })
            .await
    }

    /// Writes what came of a login, within the budget of who can cause it again and again.
    fn log(
        &self,
        caller: Caller,
        entry: &Entry,
        user: Option<&str>,
        place: (&LoginContext, &Source),
        word: &str,
    ) {
        match topic(caller, user, place, word) {
            None => entry.write(),
            Some(topic) => self.0.log.write(topic, entry),
        }
    }
}

impl Login {
    /// The end of a login at which a factor was made: libpam asks for credentials. On the private socket alone,
    /// and for root alone.
    ///
    /// # Errors
    /// As the contract has them.
    pub(crate) async fn complete_enrollment_for(
        &self,
        caller: Caller,
        token: &str,
        context: &Dictionary,
    ) -> Result<CompletionReply, Error> {
        caller.must_be_allowed(Operation::CompleteLogin)?;
        let context = trusted_context(context, caller)?;
        let done = first_login::complete(&self.0, token, &context).await?;
        let source = login_source(&context, caller.uid);
        decision(done.user.as_deref(), &context, &source, done.reply.word(), done.reason)
            .with("TOTP_FACTOR", &done.factor)
            .write();
        Ok(done.reply)
    }
}

/// What the journal says of the last wrong code that is allowed.
const LOCKED: &str = "too many wrong codes, locked from now on: totpctl unlock";

#[cfg(test)]
mod tests;
