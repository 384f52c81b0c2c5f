//! The interface `org.totpd.Totp1.Login`.
//!
//! A module writes its questions in one form, and over the private socket only [`Question`] reads
//! them. zbus reads everything else, and all calls of the bus.

use totpd_interface::Error;
use totpd_interface::arguments::Arguments;
use totpd_interface::dictionary::{DictReader, Entries};
use totpd_interface::login::{BeginReply, CompletionReply, GuardReply, PasswordReply, VerifyReply};
use totpd_interface::variants::write;
use totpd_interface::wire::question::{Method, Question};
use totpd_interface::wire::{Malformed, answer};
use zbus::DBusError;
use zeroize::Zeroizing;

use crate::access::caller::Caller;
use crate::access::login_context::trusted_context;
use crate::dispatch::call::{Answer, Call, Refusal};
use crate::login::service::LoginService;

/// The reply to a question.
enum Reply {
    Begin(BeginReply),
    Verify(VerifyReply),
    Completion(CompletionReply),
    Guard(GuardReply),
    Password(PasswordReply),
}

/// Calls the method of the name `member`, and writes its reply.
pub(crate) async fn dispatch(service: &dyn LoginService, call: &Call<'_>, member: &str) -> Answer {
    let caller = call.origin.caller;
    let reply = match member {
        "Begin" => {
            let (user, Arguments(context)): (String, _) = call.arguments("sa{sv}")?;
            ask(service, caller, Method::Begin { user: &user }, &context).await?
        }
        "Verify" => {
            let (user, code, Arguments(context)): (String, String, _) =
                call.arguments("ssa{sv}")?;
            let code = Zeroizing::new(code);
            let method = Method::Verify { user: &user, code: &code };
            ask(service, caller, method, &context).await?
        }
        "Guard" => {
            let (user, Arguments(context)): (String, _) = call.arguments("sa{sv}")?;
            ask(service, caller, Method::Guard { user: &user }, &context).await?
        }
        "PasswordChanged" => {
            let (user, Arguments(context)): (String, _) = call.arguments("sa{sv}")?;
            ask(service, caller, Method::PasswordChanged { user: &user }, &context).await?
        }
        // Only root ends a login, and never over the bus.
        "CompleteEnrollment" if call.origin.bus.is_none() => {
            let (token, Arguments(context)): (String, _) = call.arguments("sa{sv}")?;
            let token = Zeroizing::new(token);
            ask(service, caller, Method::CompleteEnrollment { token: &token }, &context).await?
        }
        _ => return Err(Refusal::NO_METHOD),
    };
    call.reply(&(reply.word(), write(reply.details())))
}

/// Returns the bytes that answer a question of the private socket.
///
/// # Errors
/// [`Malformed`] if the answer cannot be written.
pub(crate) async fn answer(
    service: &dyn LoginService,
    caller: Caller,
    question: &Question<'_>,
) -> Result<Vec<u8>, Malformed> {
    match ask(service, caller, question.method, &question.context).await {
        Ok(reply) => answer::reply(question.serial, reply.word(), &reply.details()),
        Err(error) => {
            let sentence = error.description().unwrap_or_default();
            answer::error(question.serial, &error.name(), sentence)
        }
    }
}

async fn ask(
    service: &dyn LoginService,
    caller: Caller,
    method: Method<'_>,
    context: &impl DictReader,
) -> Result<Reply, Error> {
    let context = trusted_context(context, caller)?;
    Ok(match method {
        Method::Begin { user } => Reply::Begin(service.begin(caller, user, &context).await?),
        Method::Verify { user, code } => {
            Reply::Verify(service.verify(caller, user, code, &context).await?)
        }
        Method::CompleteEnrollment { token } => {
            Reply::Completion(service.complete_enrollment(caller, token, &context).await?)
        }
        Method::Guard { user } => Reply::Guard(service.guard(caller, user, &context).await?),
        Method::PasswordChanged { user } => {
            Reply::Password(service.password_changed(caller, user).await?)
        }
    })
}

impl Reply {
    fn word(&self) -> &'static str {
        match self {
            Self::Begin(reply) => reply.word(),
            Self::Verify(reply) => reply.word(),
            Self::Completion(reply) => reply.word(),
            Self::Guard(reply) => reply.word(),
            Self::Password(reply) => reply.word(),
        }
    }

    fn details(&self) -> Entries<'_> {
        match self {
            Self::Begin(reply) => reply.details(),
            Self::Verify(reply) => reply.details(),
            Self::Completion(reply) => reply.details(),
            Self::Guard(reply) => reply.details(),
            Self::Password(reply) => reply.details(),
        }
    }
}
