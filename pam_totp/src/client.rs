//! The daemon: over its private socket where this process is root's, else over the system bus. Each
//! question is a connection of its own, so that nothing is open while a person types.

use std::thread;
use std::time::{Duration, Instant};

use totpd_interface::{Dictionary, Error, action, verdict};
use zbus::{OwnedVariant, Variant};

use crate::authenticate::{BeginReply, LoginContext, Verdict, Verifier};
use crate::client::jitter::some_of;
use crate::client::request::{Reply, Request, RequestError};
use crate::credentials::EnrollmentService;
use crate::outcome::Outcome;

mod connect;
mod dbus;
pub(crate) mod jitter;
mod request;
mod socket;

/// totpd, wherever it is reached.
pub(crate) struct Client {
    /// How long one question may take, with all tries.
    pub(crate) timeout: Duration,
}

impl Verifier for Client {
    fn begin(&self, user: &str, context: &LoginContext) -> Result<BeginReply, Outcome> {
        let context = context_dictionary(context);
        let reply = self.ask(&Request::Begin(user, &context))?;
        reply.map_or_else(
            || Err(Outcome::Unavailable("the answer was lost".into())),
            parse_begin_reply,
        )
    }

    fn verify(&self, user: &str, code: &str, context: &LoginContext) -> Result<Verdict, Outcome> {
        let context = context_dictionary(context);
        let reply = self.ask(&Request::Verify(user, code, &context))?;
        reply.map_or(Ok(Verdict::Unknown), parse_verdict)
    }
}

impl EnrollmentService for Client {
    fn complete_enrollment(
        &self,
        token: &str,
        items: Vec<(&'static str, String)>,
        quiet: bool,
    ) -> Result<Option<String>, Outcome> {
        let context = context_dictionary(&LoginContext { items, quiet, ..LoginContext::default() });
        let request = Request::CompleteEnrollment(token, &context);
        let (_, details) = self
            .ask(&request)?
            .ok_or_else(|| Outcome::Unavailable("the answer was lost".into()))?;
        Ok(text(&details, "message"))
    }
}

impl Client {
    /// The answer; nothing if it was lost, and the question is not one to ask twice.
    fn ask(&self, request: &Request<'_>) -> Result<Option<Reply>, Outcome> {
        retry(self.timeout, request.is_idempotent(), |deadline| {
            match socket::ask(request, deadline) {
                Err(RequestError::NotRunning) => dbus::start_and_ask(request, deadline),
                Err(RequestError::NoAccess) => dbus::ask(request, deadline),
                result => result,
            }
        })
    }
}

/// Tries until there is an answer or the time is over. `once`: a question whose answer was lost is
/// not asked again.
fn retry(
    timeout: Duration,
    is_idempotent: bool,
    mut send: impl FnMut(Instant) -> Result<Reply, RequestError>,
) -> Result<Option<Reply>, Outcome> {
    let timed_out = || Outcome::Unavailable(format!("no answer within {} s", timeout.as_secs()));
    let deadline = Instant::now() + timeout;
    let mut interval = RETRY_INTERVAL;
    loop {
        match send(deadline) {
            Ok(reply) => return Ok(Some(reply)),
            Err(RequestError::ReplyLost) if !is_idempotent => return Ok(None),
            Err(RequestError::Fatal(error)) => return Err(map_error(error)),
            Err(RequestError::ReplyLost | RequestError::NotDelivered) => {}
            Err(RequestError::NoAccess | RequestError::NotRunning) => {}
            Err(RequestError::Timeout) => return Err(timed_out()),
        }
        let wait = some_of(interval);
        if Instant::now() + wait >= deadline {
            return Err(timed_out());
        }
        thread::sleep(wait);
        interval = (interval * 2).min(MAX_RETRY_INTERVAL);
    }
}

/// What the daemon's answer to `Begin` means. A word that is not known opens nothing.
fn parse_begin_reply((word, details): Reply) -> Result<BeginReply, Outcome> {
    match word.as_str() {
        action::PROMPT => {
            let digits = details.get("digits").and_then(|digits| digits.downcast_ref().ok());
            let digits = digits.and_then(|digits: u32| digits.try_into().ok()).unwrap_or(6);
            text(&details, "prompt")
                .map(|text| BeginReply::Prompt { text, digits })
                .ok_or_else(|| Outcome::Internal("totpd gave no prompt".into()))
        }
        action::SKIP => Ok(BeginReply::Skip),
        action::ENROLL => match (text(&details, "prompt"), text(&details, "factor")) {
            (Some(text), Some(factor)) => Ok(BeginReply::Enroll { text, factor }),
            _ => Err(Outcome::Internal("totpd gave nothing to enroll with".into())),
        },
        _ => Err(Outcome::Internal("totpd wants something this module does not know".into())),
    }
}

/// What the daemon's answer to `Verify` means.
fn parse_verdict((word, details): Reply) -> Result<Verdict, Outcome> {
    match word.as_str() {
        verdict::APPROVED => Ok(Verdict::Approved {
            message: text(&details, "message"),
            token: text(&details, "token"),
        }),
        verdict::DENIED => Ok(Verdict::Denied { message: text(&details, "message") }),
        verdict::THROTTLED => Ok(Verdict::Throttled { message: text(&details, "message") }),
        _ => Err(Outcome::Internal("totpd gave a verdict this module does not know".into())),
    }
}

fn map_error(error: Error) -> Outcome {
    match error {
        Error::Bus(error) => Outcome::Unavailable(error.to_string()),
        Error::Internal(why) | Error::StoreCorrupt(why) | Error::StoreUnavailable(why) => {
            Outcome::Unavailable(why)
        }
        other => Outcome::Internal(other.to_string()),
    }
}

fn context_dictionary(context: &LoginContext) -> Dictionary {
    let mut dictionary = Dictionary::new();
    let mut insert = |key: &str, value: Variant<'_>| {
        // Strings and booleans hold no descriptors, which are all that cannot be owned.
        if let Ok(value) = value.try_into_owned() {
            dictionary.insert(key.to_owned(), value);
        }
    };
    for (key, value) in &context.items {
        insert(key, value.as_str().into());
    }
    if let Some(prompt) = &context.prompt {
        insert("prompt", prompt.as_str().into());
    }
    if let Some(factor) = &context.factor {
        insert("factor", factor.as_str().into());
    }
    if let Some(nonce) = &context.nonce {
        insert("nonce", nonce.as_str().into());
    }
    if context.quiet {
        insert("quiet", true.into());
    }
    if context.nullok {
        insert("nullok", true.into());
    }
    if context.enroll {
        insert("enroll", true.into());
    }
    if context.show_names {
        insert("show_names", true.into());
    }
    dictionary
}

fn text(details: &Dictionary, key: &str) -> Option<String> {
    let read = |value: &OwnedVariant| value.downcast_ref::<&str>().ok().map(ToOwned::to_owned);
    details.get(key).and_then(read)
}

/// Within which it is tried again. Each further pause is up to twice as long.
const RETRY_INTERVAL: Duration = Duration::from_millis(200);
const MAX_RETRY_INTERVAL: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests;
