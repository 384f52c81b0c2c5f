//! A request of a login, and why it has no reply.

use totpd_interface::{Dictionary, Error};

/// A request of `org.totpd.Totp1.Login`.
pub(super) enum Request<'a> {
    /// User and context.
    Begin(&'a str, &'a Dictionary),
    /// User, code and context.
    Verify(&'a str, &'a str, &'a Dictionary),
    /// Token and context, over the private socket alone.
    CompleteEnrollment(&'a str, &'a Dictionary),
}

/// What the daemon replies: a word and its details.
pub(super) type Reply = (String, Dictionary);

/// Why one try brought no reply.
pub(super) enum RequestError {
    /// There will be no reply.
    Fatal(Error),
    /// This is no way to the daemon for this process.
    NoAccess,
    /// Nothing was heard. Soon it may be: there was no room, or the daemon is being restarted.
    NotDelivered,
    /// There is nobody at the other end, but a daemon that is started would be there.
    NotRunning,
    /// The request was sent, and nobody knows whether it was heard.
    ReplyLost,
    /// The deadline is over.
    Timeout,
}

impl Request<'_> {
    /// Whether it may be sent again after its reply was lost: a code and a token are used up.
    pub(super) fn is_idempotent(&self) -> bool {
        matches!(self, Self::Begin(..))
    }
}
