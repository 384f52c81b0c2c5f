//! The reply to a call of a login, and why there is none.

use std::num::NonZeroU32;

use totpd_interface::ERROR_PREFIX;
use totpd_interface::wire::Malformed;
use totpd_interface::wire::call::Call;
use totpd_interface::wire::message::{Details, Message, Reply as Answer};

use crate::outcome::Outcome;

/// The serial of the call of a login. A connection carries one.
pub(super) const SERIAL: NonZeroU32 = NonZeroU32::MIN;

/// The message in which the daemon returned a word and details. Its bytes are zeroed when they are
/// freed.
pub(super) struct Reply(Vec<u8>);

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

impl Reply {
    /// Takes the message that answers a call. `error` says what the name and the sentence of an
    /// error mean.
    pub(super) fn new(
        message: Vec<u8>,
        error: impl FnOnce(&str, &str) -> RequestError,
    ) -> Result<Self, RequestError> {
        let answer = Message::parse(&message).and_then(|message| message.reply_to(SERIAL));
        match answer.map_err(malformed)? {
            Some(Answer::Return(_)) => Ok(Self(message)),
            Some(Answer::Error { name, text }) => Err(error(name, text)),
            None => Err(malformed(Malformed)),
        }
    }

    /// Returns the word and the details of a reply of `Login`.
    pub(super) fn read(&self) -> Result<(&str, Details<'_>), Outcome> {
        match Message::parse(&self.0).and_then(|message| message.reply_to(SERIAL)) {
            Ok(Some(Answer::Return(body))) => body.word_and_details().map_err(|_| invalid_reply()),
            _ => Err(invalid_reply()),
        }
    }
}

/// Reports whether a call may be sent again after its reply was lost. A code and a token are used
/// up.
pub(super) fn is_idempotent(call: &Call<'_>) -> bool {
    matches!(call, Call::Begin { .. })
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
    RequestError::Fatal(invalid_reply())
}

/// Returns the error of a call that has no bytes. The host gave no such text.
pub(super) fn unsendable() -> RequestError {
    RequestError::Fatal(Outcome::Internal("a text of the login cannot be sent".into()))
}

fn invalid_reply() -> Outcome {
    Outcome::Unavailable("invalid D-Bus reply".into())
}
