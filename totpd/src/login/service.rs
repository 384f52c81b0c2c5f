//! The seam between the ways in and the service that answers a login.

use std::pin::Pin;

use totpd_interface::Error;
use totpd_interface::login::{
    BeginReply, CompletionReply, GuardReply, LoginContext, PasswordReply, VerifyReply,
};

use crate::access::caller::Caller;

/// A reply that the service still works out.
pub(crate) type PendingReply<'a, T> = Pin<Box<dyn Future<Output = Result<T, Error>> + Send + 'a>>;

/// A service that answers the questions of PAM modules. The bus and the private socket know nothing
/// else of logins.
///
/// Only the trusted part of a context comes here
/// ([`trusted_context`](crate::access::login_context::trusted_context)). Each method fails as the
/// contract says. An implementation says "no" in the same way, with the same work, for every state
/// of a user. The user may be unknown, unenrolled, enrolled or throttled.
pub(crate) trait LoginService: Send + Sync {
    /// Answers `Begin` with the action for this user at this login.
    fn begin<'a>(
        &'a self,
        caller: Caller,
        user: &'a str,
        context: &'a LoginContext,
    ) -> PendingReply<'a, BeginReply>;

    /// Answers `Verify`, and spends one attempt. An approved code is used up before the reply, for
    /// good: on disk, or in a minute whose codes are void after a crash.
    fn verify<'a>(
        &'a self,
        caller: Caller,
        user: &'a str,
        code: &'a str,
        context: &'a LoginContext,
    ) -> PendingReply<'a, VerifyReply>;

    /// Answers `CompleteEnrollment`, and ends a login at which a user added a factor. libpam asks
    /// for credentials then.
    fn complete_enrollment<'a>(
        &'a self,
        caller: Caller,
        token: &'a str,
        context: &'a LoginContext,
    ) -> PendingReply<'a, CompletionReply>;

    /// Answers `Guard`: whether a login continues at which no code was given.
    fn guard<'a>(
        &'a self,
        caller: Caller,
        user: &'a str,
        context: &'a LoginContext,
    ) -> PendingReply<'a, GuardReply>;

    /// Answers `PasswordChanged`, and ends what is remembered of logins of the user.
    fn password_changed<'a>(
        &'a self,
        caller: Caller,
        user: &'a str,
    ) -> PendingReply<'a, PasswordReply>;
}
