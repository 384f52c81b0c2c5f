//! The reply to a call of a login, and why there is none.

use std::num::NonZeroU32;

use totpd_interface::ERROR_PREFIX;
use totpd_interface::wire::Malformed;
use totpd_interface::wire::call::Call;
use totpd_interface::wire::message::{Details, Reply as Answer};

use crate::outcome::Outcome;

/// The serial of the call of a login. A connection carries one.
pub(super) const SERIAL: NonZeroU32 = NonZeroU32::MIN;

/// Takes the word and the details of a reply of `Login`, while the message is there.
pub(super) type Reading<'a> = dyn FnMut(&str, &Details<'_>) -> Result<(), Outcome> + 'a;

/// The reason why one attempt brought no reply.
#[derive(Debug)]
pub(super) enum RequestError {
    /// No retry would bring a reply.
    Fatal(Outcome),
    /// This process may not use this way to the daemon, or there is none.
    NoAccess,
    /// The daemon did not get the request. It may restart at this moment, or a queue is full.
    NotDelivered,
    /// The daemon does not run. Once started, it would answer here.
    NotRunning,
    /// The request was sent. The daemon may have handled it or not.
    ReplyLost,
    /// The deadline has passed.
    Timeout,
}

/// Hands the reply of `Login` in an answer to `reading`. `error` says what the name and the
/// sentence of an error mean.
pub(super) fn read(
    answer: Answer<'_>,
    reading: &mut Reading<'_>,
    error: impl FnOnce(&str, &str) -> RequestError,
) -> Result<(), RequestError> {
    match answer {
        Answer::Return(body) => {
            let (word, details) = body.word_and_details().map_err(malformed)?;
            reading(word, &details).map_err(RequestError::Fatal)
        }
        Answer::Error { name, text } => Err(error(name, text)),
    }
}

/// Reports whether a call may be sent again after its reply was lost. A code and a token are used
/// up.
pub(super) fn is_idempotent(call: &Call<'_>) -> bool {
    matches!(call, Call::Begin { .. } | Call::Guard { .. } | Call::PasswordChanged { .. })
}

/// Maps an error of the daemon or the bus to the outcome of the login.
pub(super) fn map_error(name: &str, text: &str) -> Outcome {
    match name.strip_prefix(ERROR_PREFIX) {
        Some("Internal" | "StoreCorrupt" | "StoreUnavailable") => Outcome::Unavailable(text.into()),
        Some(_) => Outcome::Internal(format!("{name}: {text}")),
        None => Outcome::Unavailable(format!("{name}: {text}")),
    }
}

pub(super) fn malformed(_: Malformed) -> RequestError {
    RequestError::Fatal(Outcome::Unavailable("invalid D-Bus reply".into()))
}

/// Returns the error of a call that has no bytes. The host gave no such text.
pub(super) fn unsendable() -> RequestError {
    RequestError::Fatal(Outcome::Internal("a text of the login cannot be sent".into()))
}
