//! A request of a login, its reply, and why there is none.

use totpd_interface::{Dictionary, Error};

/// A request of `org.totpd.Totp1.Login`.
pub(super) enum Request<'a> {
    /// User and context.
    Begin(&'a str, &'a Dictionary),
    /// User, code and context.
    Verify(&'a str, &'a str, &'a Dictionary),
    /// Token and context; served on the private socket only.
    CompleteEnrollment(&'a str, &'a Dictionary),
}

/// A word and its details.
pub(super) type Reply = (String, Dictionary);

/// The reason why one attempt brought no reply.
pub(super) enum RequestError {
    /// No retry would bring a reply.
    Fatal(Error),
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

impl Request<'_> {
    /// Reports whether it may be sent again after its reply was lost. A code and a token are used
    /// up.
    pub(super) fn is_idempotent(&self) -> bool {
        matches!(self, Self::Begin(..))
    }
}
