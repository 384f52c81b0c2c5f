//! The interface `org.totpd.Totp1.Login`.

use totpd_interface::arguments::Arguments;
use totpd_interface::variants::write;
use zeroize::Zeroizing;

use crate::access::login_context::trusted_context;
use crate::dispatch::call::{Answer, Call, Refusal};
use crate::login::service::LoginService;

/// Calls the method of the name `member`, and writes its reply.
pub(crate) async fn dispatch(service: &dyn LoginService, call: &Call<'_>, member: &str) -> Answer {
    let caller = call.origin.caller;
    match member {
        "Begin" => {
            let (user, Arguments(context)): (String, _) = call.arguments("sa{sv}")?;
            let context = trusted_context(&context, caller)?;
            let reply = service.begin(caller, &user, &context).await?;
            call.reply(&(reply.word(), write(reply.details())))
        }
        "Verify" => {
            let (user, code, Arguments(context)): (String, String, _) =
                call.arguments("ssa{sv}")?;
            let code = Zeroizing::new(code);
            let context = trusted_context(&context, caller)?;
            let reply = service.verify(caller, &user, &code, &context).await?;
            call.reply(&(reply.word(), write(reply.details())))
        }
        // Only root ends a login, and never over the bus.
        "CompleteEnrollment" if call.origin.bus.is_none() => {
            let (token, Arguments(context)): (String, _) = call.arguments("sa{sv}")?;
            let token = Zeroizing::new(token);
            let context = trusted_context(&context, caller)?;
            let reply = service.complete_enrollment(caller, &token, &context).await?;
            call.reply(&(reply.word(), write(reply.details())))
        }
        _ => Err(Refusal::NO_METHOD),
    }
}
