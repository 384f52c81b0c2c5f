//! The daemon: over its private socket where this process is root's, else over the system bus. Each
//! question is a connection of its own, so that nothing is open while a person types.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::thread;
use std::time::{Duration, Instant};

use totpd_interface::{Dictionary, Error, action, verdict};
use zbus::{OwnedVariant, Variant};

use crate::authenticate::{Begun, Context, Verdict, Verifier};
use crate::credentials::Keeper;
use crate::outcome::Outcome;

mod connect;
mod dbus;
mod socket;

/// totpd, wherever it is reached.
pub(crate) struct Totpd {
    /// How long one question may take, with all tries.
    pub(crate) timeout: Duration,
}

/// A question of `org.totpd.Totp1.Login`.
enum Question<'a> {
    Begin(&'a str, &'a Dictionary),
    Verify(&'a str, &'a str, &'a Dictionary),
    /// Over the private socket alone.
    CompleteEnrollment(&'a str, &'a Dictionary),
}

type Answer = (String, Dictionary);

/// Why there is no answer to one try.
enum Trouble {
    /// The question was sent, and nobody knows whether it was heard.
    AnswerLost,
    /// Nothing was heard. Soon it may be: there was no room, or the daemon is being restarted.
    NotHeard,
    /// This is no way to the daemon for this process.
    NoWay,
    /// There is nobody at the other end, but a daemon that is started would be there.
    NotRunning,
    /// The deadline is over.
    TooLate,
    /// There will be no answer.
    Lasting(Error),
}

impl Verifier for Totpd {
    fn begin(&self, user: &str, context: &Context) -> Result<Begun, Outcome> {
        let context = dictionary(context);
        let asked = self.ask(&Question::Begin(user, &context))?;
        asked.map_or_else(|| Err(Outcome::Unavailable("the answer was lost".into())), begun)
    }

    fn verify(&self, user: &str, code: &str, context: &Context) -> Result<Verdict, Outcome> {
        let context = dictionary(context);
        let asked = self.ask(&Question::Verify(user, code, &context))?;
        asked.map_or(Ok(Verdict::Lost), verdict)
    }
}

impl Keeper for Totpd {
    fn complete_enrollment(
        &self,
        token: &str,
        items: Vec<(&'static str, String)>,
        quiet: bool,
    ) -> Result<Option<String>, Outcome> {
        let context = dictionary(&Context { items, quiet, ..Context::default() });
        let question = Question::CompleteEnrollment(token, &context);
        let (_, details) = self
            .ask(&question)?
            .ok_or_else(|| Outcome::Unavailable("the answer was lost".into()))?;
        Ok(text(&details, "message"))
    }
}

impl Totpd {
    /// The answer; nothing if it was lost, and the question is not one to ask twice.
    fn ask(&self, question: &Question<'_>) -> Result<Option<Answer>, Outcome> {
        repeated(self.timeout, question.is_asked_once(), |deadline| {
            match socket::ask(question, deadline) {
                Err(Trouble::NotRunning) => dbus::start_and_ask(question, deadline),
                Err(Trouble::NoWay) => dbus::ask(question, deadline),
                tried => tried,
            }
        })
    }
}

impl Question<'_> {
    /// Whether the answer to it changes when it is asked again: a code is used up.
    fn is_asked_once(&self) -> bool {
        matches!(self, Self::Verify(..) | Self::CompleteEnrollment(..))
    }
}

/// Tries until there is an answer or the time is over. `once`: a question whose answer was lost is
/// not asked again.
fn repeated(
    timeout: Duration,
    once: bool,
    mut tries: impl FnMut(Instant) -> Result<Answer, Trouble>,
) -> Result<Option<Answer>, Outcome> {
    let too_late = || Outcome::Unavailable(format!("no answer within {} s", timeout.as_secs()));
    let deadline = Instant::now() + timeout;
    let mut pause = PAUSE;
    loop {
        match tries(deadline) {
            Ok(answer) => return Ok(Some(answer)),
            Err(Trouble::AnswerLost) if once => return Ok(None),
            Err(Trouble::Lasting(error)) => return Err(outcome(error)),
            Err(Trouble::AnswerLost | Trouble::NotHeard) => {}
            Err(Trouble::NoWay | Trouble::NotRunning) => {}
            Err(Trouble::TooLate) => return Err(too_late()),
        }
        let waiting = some_of(pause);
        if Instant::now() + waiting >= deadline {
            return Err(too_late());
        }
        thread::sleep(waiting);
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// What the daemon's answer to `Begin` means. A word that is not known opens nothing.
fn begun((word, details): Answer) -> Result<Begun, Outcome> {
    match word.as_str() {
        action::PROMPT => {
            let digits = details.get("digits").and_then(|digits| digits.downcast_ref().ok());
            let digits = digits.and_then(|digits: u32| digits.try_into().ok()).unwrap_or(6);
            text(&details, "prompt")
                .map(|text| Begun::Prompt { text, digits })
                .ok_or_else(|| Outcome::Misused("totpd gave no prompt".into()))
        }
        action::SKIP => Ok(Begun::Skip),
        action::ENROLL => match (text(&details, "prompt"), text(&details, "factor")) {
            (Some(text), Some(factor)) => Ok(Begun::Enroll { text, factor }),
            _ => Err(Outcome::Misused("totpd gave nothing to enroll with".into())),
        },
        _ => Err(Outcome::Misused("totpd wants something this module does not know".into())),
    }
}

/// What the daemon's answer to `Verify` means.
fn verdict((word, details): Answer) -> Result<Verdict, Outcome> {
    match word.as_str() {
        verdict::APPROVED => Ok(Verdict::Approved {
            message: text(&details, "message"),
            token: text(&details, "token"),
        }),
        verdict::DENIED => Ok(Verdict::Denied { message: text(&details, "message") }),
        verdict::THROTTLED => Ok(Verdict::Throttled { message: text(&details, "message") }),
        _ => Err(Outcome::Misused("totpd gave a verdict this module does not know".into())),
    }
}

/// `time`, a quarter more or less.
pub(crate) fn jittered(time: Duration) -> Duration {
    time / 1000 * (750 + random_per_mille() / 2)
}

/// Any part of `time`: a thousand logins that were refused a connection together must not come
/// back together.
fn some_of(time: Duration) -> Duration {
    time / 1000 * random_per_mille()
}

/// 0 to 999. The keys of a hasher come from the kernel's randomness, which is plenty for a delay.
fn random_per_mille() -> u32 {
    u32::try_from(RandomState::new().build_hasher().finish() % 1000).unwrap_or_default()
}

fn outcome(error: Error) -> Outcome {
    match error {
        Error::Bus(error) => Outcome::Unavailable(error.to_string()),
        Error::Internal(why) | Error::StoreCorrupt(why) | Error::StoreUnavailable(why) => {
            Outcome::Unavailable(why)
        }
        other => Outcome::Misused(other.to_string()),
    }
}

fn dictionary(context: &Context) -> Dictionary {
    let mut dictionary = Dictionary::new();
    let mut put = |key: &str, value: Variant<'_>| {
        // Strings and booleans hold no descriptors, which are all that cannot be owned.
        if let Ok(value) = value.try_into_owned() {
            dictionary.insert(key.to_owned(), value);
        }
    };
    for (key, value) in &context.items {
        put(key, value.as_str().into());
    }
    if let Some(prompt) = &context.prompt {
        put("prompt", prompt.as_str().into());
    }
    if let Some(factor) = &context.factor {
        put("factor", factor.as_str().into());
    }
    if let Some(nonce) = &context.nonce {
        put("nonce", nonce.as_str().into());
    }
    if context.quiet {
        put("quiet", true.into());
    }
    if context.nullok {
        put("nullok", true.into());
    }
    if context.enroll {
        put("enroll", true.into());
    }
    if context.show_names {
        put("show_names", true.into());
    }
    dictionary
}

fn text(details: &Dictionary, key: &str) -> Option<String> {
    let read = |value: &OwnedVariant| value.downcast_ref::<&str>().ok().map(ToOwned::to_owned);
    details.get(key).and_then(read)
}

/// Within which it is tried again. Each further pause is up to twice as long.
const PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests;
