//! The seam between the ways in and whatever answers a login.

use std::pin::Pin;

use totpd_interface::Error;
use totpd_interface::login::{BeginReply, CompletionReply, LoginContext, VerifyReply};

use crate::access::caller::Caller;

/// A reply that is being worked out.
pub(crate) type PendingReply<'a, T> = Pin<Box<dyn Future<Output = Result<T, Error>> + Send + 'a>>;

/// Answers the questions of PAM modules. The bus and the private socket know nothing else of
/// logins.
///
/// Of a context, only what is believed of the caller comes here
/// ([`trusted_context`](crate::access::login_context::trusted_context)). Each method fails as the
/// contract says; an implementation says "no" in the same way, with the same work, whether a user
/// is unknown, unenrolled, enrolled or throttled.
pub(crate) trait LoginService: Send + Sync {
    /// `Begin`: says what to do with this user at this login.
    fn begin<'a>(
        &'a self,
        caller: Caller,
        user: &'a str,
        context: &'a LoginContext,
    ) -> PendingReply<'a, BeginReply>;

    /// `Verify`: spends one attempt. It is durable that an approved code is used up before this
    /// replies.
    fn verify<'a>(
        &'a self,
        caller: Caller,
        user: &'a str,
        code: &'a str,
        context: &'a LoginContext,
    ) -> PendingReply<'a, VerifyReply>;

    /// `CompleteEnrollment`: ends a login at which a factor was added. libpam asks for credentials
    /// then.
    fn complete_enrollment<'a>(
        &'a self,
        caller: Caller,
        token: &'a str,
        context: &'a LoginContext,
    ) -> PendingReply<'a, CompletionReply>;
}
