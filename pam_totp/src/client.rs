//! The client of totpd: over the private socket if this process runs as root, otherwise over the
//! system bus. Each request has its own connection, so nothing is open while a person types.

use std::time::{Duration, Instant};

use rustix::thread::{NanosleepRelativeResult, Timespec, nanosleep};
use totpd_interface::dictionary::DictReader;
use totpd_interface::login::{
    BeginReply, CompletionReply, GuardReply, LoginContext, PasswordReply, UnexpectedReply,
    VerifyReply,
};
use totpd_interface::wire::call::Call;
use totpd_interface::wire::message::Details;

use crate::account::Guardian;
use crate::authenticate::Verifier;
use crate::client::request::{Reading, RequestError, is_idempotent};
use crate::credentials::EnrollmentService;
use crate::jitter::random_part;
use crate::outcome::Outcome;
use crate::password::PasswordListener;

mod connect;
mod dbus;
mod request;
mod socket;
mod stream;

/// A client of totpd.
pub(crate) struct Client {
    /// The longest time of one request, retries included.
    pub(crate) timeout: Duration,
}

impl Verifier for Client {
    fn begin(&self, user: &str, context: &LoginContext) -> Result<BeginReply, Outcome> {
        self.ask_for(&Call::Begin { user, context }, |word, details| begin_reply(word, details))?
            .ok_or_else(reply_lost)
    }

    fn verify(
        &self,
        user: &str,
        code: &str,
        context: &LoginContext,
    ) -> Result<Option<VerifyReply>, Outcome> {
        self.ask_for(&Call::Verify { user, code, context }, |word, details| {
            verify_reply(word, details)
        })
    }
}

impl EnrollmentService for Client {
    fn complete_enrollment(
        &self,
        token: &str,
        context: &LoginContext,
    ) -> Result<Option<String>, Outcome> {
        let call = Call::CompleteEnrollment { token, context };
        let message =
            |word: &str, details: &Details<'_>| Ok(CompletionReply::parse(word, details).message);
        self.ask_for(&call, message)?.ok_or_else(reply_lost)
    }
}

impl Guardian for Client {
    fn guard(&self, user: &str, context: &LoginContext) -> Result<GuardReply, Outcome> {
        let reply = |word: &str, details: &Details<'_>| Ok(GuardReply::parse(word, details));
        self.ask_for(&Call::Guard { user, context }, reply)?.ok_or_else(reply_lost)
    }
}

impl PasswordListener for Client {
    fn password_changed(
        &self,
        user: &str,
        context: &LoginContext,
    ) -> Result<PasswordReply, Outcome> {
        let reply = |word: &str, details: &Details<'_>| Ok(PasswordReply::parse(word, details));
        self.ask_for(&Call::PasswordChanged { user, context }, reply)?.ok_or_else(reply_lost)
    }
}

fn reply_lost() -> Outcome {
    Outcome::Unavailable("the reply was lost".into())
}

impl Client {
    /// Returns the reply, as `parse` reads it. `None`: it was lost, and the request must not be
    /// sent twice.
    fn ask_for<T>(
        &self,
        call: &Call<'_>,
        parse: impl Fn(&str, &Details<'_>) -> Result<T, Outcome>,
    ) -> Result<Option<T>, Outcome> {
        let mut reply = None;
        self.ask(call, &mut |word, details| {
            reply = Some(parse(word, details)?);
            Ok(())
        })?;
        Ok(reply)
    }

    /// Hands the reply to `reading`. `None`: it was lost.
    fn ask(&self, call: &Call<'_>, reading: &mut Reading<'_>) -> Result<Option<()>, Outcome> {
        retry(self.timeout, is_idempotent(call), |deadline| {
            match socket::ask(call, reading, deadline) {
                Err(RequestError::NotRunning) => dbus::start_and_ask(call, reading, deadline),
                Err(RequestError::NoAccess) => dbus::ask(call, reading, deadline),
                result => result,
            }
        })
    }
}

/// Calls `send` until there is a reply or `timeout` is over. If the reply is lost, only an
/// idempotent request is sent again. Otherwise the result is `None`.
fn retry<T>(
    timeout: Duration,
    is_idempotent: bool,
    mut send: impl FnMut(Instant) -> Result<T, RequestError>,
) -> Result<Option<T>, Outcome> {
    let timed_out = || Outcome::Unavailable(format!("no answer within {} s", timeout.as_secs()));
    let deadline = Instant::now() + timeout;
    let mut interval = RETRY_INTERVAL;
    loop {
        match send(deadline) {
            Ok(reply) => return Ok(Some(reply)),
            Err(RequestError::ReplyLost) if !is_idempotent => return Ok(None),
            Err(RequestError::Fatal(outcome)) => return Err(outcome),
            Err(RequestError::ReplyLost | RequestError::NotDelivered) => {}
            Err(RequestError::NoAccess | RequestError::NotRunning) => {}
            Err(RequestError::Timeout) => return Err(timed_out()),
        }
        let wait = random_part(interval);
        if Instant::now() + wait >= deadline {
            return Err(timed_out());
        }
        sleep(wait);
        interval = (interval * 2).min(MAX_RETRY_INTERVAL);
    }
}

/// Waits for `time`. The loader would look up the function of std for it, at each login.
fn sleep(time: Duration) {
    let mut left = Timespec::try_from(time);
    while let Ok(time) = left
        && let NanosleepRelativeResult::Interrupted(rest) = nanosleep(&time)
    {
        left = Ok(rest);
    }
}

fn begin_reply(word: &str, details: &impl DictReader) -> Result<BeginReply, Outcome> {
    BeginReply::parse(word, details).map_err(unexpected_reply)
}

fn verify_reply(word: &str, details: &impl DictReader) -> Result<VerifyReply, Outcome> {
    VerifyReply::parse(word, details).map_err(unexpected_reply)
}

fn unexpected_reply(reply: UnexpectedReply) -> Outcome {
    Outcome::Internal(reply.to_string())
}

/// The first retry comes within this time. Each further interval is twice as long.
const RETRY_INTERVAL: Duration = Duration::from_millis(200);
const MAX_RETRY_INTERVAL: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests;
