//! The interface `org.totpd.Totp1.Login`: what PAM modules ask.

use std::sync::Arc;

use totpd_interface::{Dictionary, Error, action, verdict};
use zbus::Connection;
use zbus::message::Header;
use zeroize::Zeroizing;

use crate::attempt::{Attempt, Reason, Verdict, attempt};
use crate::caller::Caller;
use crate::clock;
use crate::context::Context;
use crate::daemon::Daemon;
use crate::login::answer::told;
use crate::login::decision::{decision, of_attempt};
use crate::login::prompt::{prompt, with_names};
use crate::record::Record;
use crate::reply::Reply;
use crate::throttle::Standing;

mod answer;
mod decision;
mod first_login;
pub(crate) mod offers;
mod prompt;

/// Serves `org.totpd.Totp1.Login`.
#[derive(Clone)]
pub struct Login(pub Arc<Daemon>);

/// For PAM modules. Root asks for any user, everybody else for itself.
#[zbus::interface(name = "org.totpd.Totp1.Login")]
impl Login {
    /// What to do with this user at this login: `prompt` (details: `prompt` s, and `digits` u, how
    /// many a code has), `enroll` (details: `prompt` s, `factor` s, `uri` s) or `skip`.
    ///
    /// Context keys, all optional: `service`, `rhost`, `tty`, `ruser`, `factor`, `prompt` (s),
    /// `nullok` (b), `enroll`, `names` (b, root only). Unknown keys are ignored.
    #[zbus(out_args("action", "details"))]
    async fn begin(
        &self,
        user: String,
        context: Dictionary,
        #[zbus(header)] header: Header<'_>,
        #[zbus(connection)] connection: &Connection,
    ) -> Result<(String, Dictionary), Error> {
        let (caller, _turn) = self.0.admit(&header, connection).await?;
        self.begin_for(caller, &user, &context).await
    }

    /// Spends one attempt: `approved`, `denied` or `throttled`.
    ///
    /// Details: `method` s (`totp`, `hotp`, `recovery`) of an approved code, `message` s if its owner
    /// should know something, and `keep` s, a prompt with recovery codes, after an enrolment; `message` s and `retry_after` u (seconds; absent until an
    /// administrator unlocks the user) of a throttled one. An approved code is used up on disk before
    /// this answers.
    #[zbus(out_args("verdict", "details"))]
    async fn verify(
        &self,
        user: String,
        code: String,
        context: Dictionary,
        #[zbus(header)] header: Header<'_>,
        #[zbus(connection)] connection: &Connection,
    ) -> Result<(String, Dictionary), Error> {
        let code = Zeroizing::new(code);
        let (caller, _turn) = self.0.admit(&header, connection).await?;
        self.verify_for(caller, &user, &code, &context).await
    }
}

/// The same, however the caller came to be known.
impl Login {
    /// As `Begin` on the bus.
    ///
    /// # Errors
    /// As the contract has them.
    pub async fn begin_for(
        &self,
        caller: Caller,
        user: &str,
        context: &Dictionary,
    ) -> Result<(String, Dictionary), Error> {
        let context = believed(context, caller)?;
        if context.enroll
            && context.is_at_a_terminal()
            && let Some(offer) = first_login::offer(&self.0, user, &context).await?
        {
            return Ok((action::ENROLL.into(), offer));
        }
        let mut uid = None;
        if context.nullok || context.names || !caller.is_root() {
            let target = self.0.target_for(caller, user).await?;
            uid = target.uid;
            if let Some(uid) = target.uid.filter(|_| context.nullok) {
                let stored = self.0.told(self.0.store.read(target.subject).await)?;
                if may_skip(stored.as_ref(), uid) {
                    let source = context.source(caller.uid);
                    decision(user, &context, &source, "skipped", "not enrolled").write();
                    return Ok((action::SKIP.into(), Dictionary::new()));
                }
            }
        }
        let (now, rules) = (clock::now(), &self.0.config.rules.throttle);
        let mut record = self.0.record_under(user).await?;
        record.throttle.settle(now, rules);
        let standing = record.throttle.standing(&context.source(caller.uid), now, rules);
        if record.is_enrolled() && caller.is_root() {
            let (service, rhost) = (context.service.clone(), context.rhost.clone());
            self.0.watchers.code_wanted(record.uid, service, rhost);
        }
        // A recreated account is not told what its predecessor had.
        let named = context.names && uid == Some(record.uid);
        let text = match standing {
            Standing::Open if named => {
                with_names(context.prompt.as_deref(), &context, &record, now)
            }
            _ => prompt(context.prompt.as_deref(), standing),
        };
        let digits = record.digits().unwrap_or(self.0.config.defaults.digits);
        let details = Reply::new().with("prompt", text).with("digits", u32::from(digits));
        Ok((action::PROMPT.into(), details.into()))
    }

    /// As `Verify` on the bus.
    ///
    /// # Errors
    /// As the contract has them.
    pub async fn verify_for(
        &self,
        caller: Caller,
        user: &str,
        code: &str,
        context: &Dictionary,
    ) -> Result<(String, Dictionary), Error> {
        let target = self.0.target_for(caller, user).await?;
        let context = believed(context, caller)?;
        let source = context.source(caller.uid);
        if context.enroll
            && let Some(factor) = &context.factor
        {
            let (word, details, told) = first_login::judge(&self.0, &target, factor, code).await?;
            decision(user, &context, &source, word, told).with("TOTP_FACTOR", factor).write();
            return Ok((word.into(), details));
        }
        let one = Attempt {
            answer: self.0.answer(&target, code, &source).await?,
            factor: context.factor.clone(),
            service: context.service.clone(),
            source: source.clone(),
            uid: target.uid_now(),
            now: clock::now(),
        };
        let rules = self.0.config.rules.clone();
        let judged = self.0.update(&target, move |record| attempt(record, &one, &rules)).await?;
        of_attempt(user, &context, &source, &target, &judged).write();
        if context.enroll && matches!(judged, Verdict::Denied(Reason::NotEnrolled)) {
            let told = Reply::new().with("message", first_login::ELSEWHERE);
            return Ok((verdict::DENIED.into(), told.into()));
        }
        Ok(told(&judged))
    }
}

/// What is believed of a context, by who gives it.
fn believed(context: &Dictionary, caller: Caller) -> Result<Context, Error> {
    let context = Context::parse(context)?;
    Ok(if caller.is_root() { context } else { context.of_an_ordinary_caller() })
}

/// Whether `nullok` lets this user by: there is no factor, not even one that belongs to another
/// who had this name before.
fn may_skip(stored: Option<&Record>, uid: u32) -> bool {
    stored.is_none_or(|record| {
        record.factors.is_empty() || (record.uid == uid && !record.is_enrolled())
    })
}

#[cfg(test)]
mod tests;
