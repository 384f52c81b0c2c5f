//! The daemon, over the system bus. Each question is a connection of its own, so that nothing is
//! open while a person types.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::time::Duration;

use totpd_interface::{Dictionary, Error, LoginProxy, SYSTEM_BUS, action, verdict};
use zbus::connection::Builder;
use zbus::{Connection, OwnedVariant, Variant};

use crate::authenticate::{Begun, Context, Verdict, Verifier};
use crate::outcome::Outcome;

/// totpd on the system bus.
pub(crate) struct SystemBus {
    /// How long it may take to connect and to answer one question.
    pub(crate) timeout: Duration,
}

impl Verifier for SystemBus {
    fn begin(&self, user: &str, context: &Context) -> Result<Begun, Outcome> {
        let context = dictionary(context);
        let (action, details) = self.ask(async |totpd| totpd.begin(user, &context).await)?;
        match action.as_str() {
            action::PROMPT => {
                let prompt = text(&details, "prompt");
                prompt
                    .map(|text| Begun::Prompt { text })
                    .ok_or_else(|| Outcome::Misused("totpd gave no prompt".into()))
            }
            action::SKIP => Ok(Begun::Skip),
            _ => Err(Outcome::Misused("totpd wants something this module does not know".into())),
        }
    }

    fn verify(&self, user: &str, code: &str, context: &Context) -> Result<Verdict, Outcome> {
        let context = dictionary(context);
        let (verdict, details) =
            self.ask(async |totpd| totpd.verify(user, code, &context).await)?;
        match verdict.as_str() {
            verdict::APPROVED => Ok(Verdict::Approved),
            verdict::DENIED => Ok(Verdict::Denied),
            verdict::THROTTLED => Ok(Verdict::Throttled { message: text(&details, "message") }),
            _ => Err(Outcome::Misused("totpd gave a verdict this module does not know".into())),
        }
    }
}

impl SystemBus {
    fn ask<T>(
        &self,
        question: impl AsyncFnOnce(LoginProxy<'_>) -> Result<T, Error>,
    ) -> Result<T, Outcome> {
        // A runtime for each call: no thread and no descriptor of it outlives this in the host.
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .enable_time()
            .build()
            .map_err(|error| Outcome::Unavailable(format!("no runtime: {error}")))?;
        let exchange = async {
            let bus = connect().await.map_err(Error::Bus)?;
            question(LoginProxy::new(&bus).await.map_err(Error::Bus)?).await
        };
        let answer = runtime.block_on(async { tokio::time::timeout(self.timeout, exchange).await });
        match answer {
            Ok(answer) => answer.map_err(outcome),
            Err(_) => {
                let seconds = self.timeout.as_secs();
                Err(Outcome::Unavailable(format!("no answer within {seconds} s")))
            }
        }
    }
}

/// A connection to the bus. One that has no room is asked again until the deadline: dbus-daemon
/// serves 256 connections of a user, and all logins are root's.
async fn connect() -> zbus::Result<Connection> {
    loop {
        match Builder::address(SYSTEM_BUS).build().await {
            Err(zbus::Error::FDO(error))
                if matches!(*error, zbus::fdo::Error::LimitsExceeded(_)) =>
            {
                tokio::time::sleep(jittered(RETRY)).await;
            }
            done => return done,
        }
    }
}

/// `time`, a quarter more or less.
pub(crate) fn jittered(time: Duration) -> Duration {
    // The keys of a hasher come from the kernel's randomness, which is plenty for a delay.
    let random = RandomState::new().build_hasher().finish() % 1000;
    let per_mille = u32::try_from(750 + random / 2).unwrap_or(1000);
    time / 1000 * per_mille
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
    if context.nullok {
        put("nullok", true.into());
    }
    dictionary
}

fn text(details: &Dictionary, key: &str) -> Option<String> {
    let read = |value: &OwnedVariant| value.downcast_ref::<&str>().ok().map(ToOwned::to_owned);
    details.get(key).and_then(read)
}

const RETRY: Duration = Duration::from_millis(100);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jitter_stays_within_a_quarter_and_differs() {
        let two = Duration::from_secs(2);
        let drawn: Vec<_> = (0..200).map(|_| jittered(two)).collect();
        assert!(drawn.iter().all(|time| (1500..=2500).contains(&time.as_millis())), "{drawn:?}");
        assert!(drawn.iter().any(|time| *time != drawn[0]));
    }

    #[test]
    fn no_error_of_the_bus_or_the_daemon_is_anything_but_a_refusal() {
        let text = || "why".to_owned();
        for error in [
            Error::Bus(zbus::Error::InvalidReply),
            Error::Internal(text()),
            Error::StoreCorrupt(text()),
            Error::StoreUnavailable(text()),
        ] {
            assert!(matches!(outcome(error), Outcome::Unavailable(_)));
        }
        for error in [
            Error::AlreadyEnrolled(text()),
            Error::BadCode(text()),
            Error::Expired(text()),
            Error::InvalidArgument(text()),
            Error::NotAuthorized(text()),
            Error::NotEnrolled(text()),
            Error::NoSuchUser(text()),
            Error::Throttled(text()),
        ] {
            assert!(matches!(outcome(error), Outcome::Misused(_)));
        }
    }
}
