//! The end of a login at which a user added a factor. The factor becomes verified then, and not
//! before.

use totpd_core::authorization::Operation;
use totpd_core::enrollment::{self, Completion, LoginEnd};
use totpd_core::factor::LoginToken;
use totpd_core::record_key::RecordKey;
use totpd_interface::Error;
use totpd_interface::login::{CompletionReply, LoginContext};

use crate::access::caller::Caller;
use crate::access::login_context::{is_at_terminal, login_source};
use crate::audit::event::{Event, LoginEvent, LoginOutcome, LoginScene};
use crate::audit::reason::Reason;
use crate::daemon::Daemon;
use crate::daemon::hash_worker::Work;
use crate::factors::recovery_codes;
use crate::host::clock;
use crate::login::enrollment_screen::{IS_KEPT, NOT_KEPT, after_enrollment};

/// Verifies the factor of the token. Root alone may ask for that.
///
/// # Errors
/// [`Error::NotAuthorized`]. [`Error::InvalidArgument`] if `token` is no token. The other errors of
/// the contract.
pub(crate) async fn complete(
    daemon: &Daemon,
    caller: Caller,
    token: &str,
    context: &LoginContext,
) -> Result<CompletionReply, Error> {
    caller.must_be_allowed(Operation::CompleteLogin)?;
    let no_token = || Error::InvalidArgument("that is no token of a login".into());
    let token = LoginToken::parse(token).ok_or_else(no_token)?;
    let account = daemon.account(caller.lane(), token.user.as_str()).await?;
    let (uid, source) = (account.current_uid(), login_source(context, caller.uid));
    let end = LoginEnd {
        factor: token.factor.clone(),
        token: token.digest(context.service.as_deref().unwrap_or_default()),
        is_of_user: is_login_of(daemon, caller, &token, context).await?,
        uid,
        service: context.service.clone(),
        source: source.clone(),
    };
    let (now, rules) = (clock::now(), daemon.config.enrollment.clone());
    let throttle = daemon.config.rules.throttle.clone();
    let completion = daemon
        .update(&account, move |record, _| {
            enrollment::complete_login(record, &end, now, &rules, &throttle)
        })
        .await?;
    let is_verified = completion == Completion::Verified;
    let message = if is_verified {
        let codes = match is_at_terminal(context) && !context.quiet {
            // The factor is verified by now, and the user can make codes later.
            true => recovery_codes::first_recovery_codes(daemon, &account, Work::Login)
                .await
                .unwrap_or_default(),
            false => Vec::new(),
        };
        daemon.subscribers.factors_changed(uid, token.user.as_str());
        (daemon.config.recovery_codes > 0).then(|| after_enrollment(&codes))
    } else {
        Some(without_verification(completion).to_owned())
    };
    let login = LoginScene { caller, account: &account, context, source: &source };
    let outcome = if is_verified { LoginOutcome::Approved } else { LoginOutcome::Denied };
    daemon.audit.record(&Event::Login(LoginEvent {
        factor: Some(token.factor.clone()),
        ..LoginEvent::new(login, outcome, Reason::from(completion))
    }));
    Ok(CompletionReply { is_verified, message })
}

/// Returns the text for a completion that verified nothing.
fn without_verification(completion: Completion) -> &'static str {
    match completion {
        Completion::AlreadyVerified => IS_KEPT,
        Completion::AlreadyEnrolled
        | Completion::Expired
        | Completion::Unknown
        | Completion::Verified => NOT_KEPT,
    }
}

/// Reports whether the login that ends is that of the token's user. That is the user of the login.
/// If the program has put in the user that it becomes (sudo), it is the user who asks. A program
/// may try several users in one handle of libpam.
async fn is_login_of(
    daemon: &Daemon,
    caller: Caller,
    token: &LoginToken,
    context: &LoginContext,
) -> Result<bool, Error> {
    for name in [&context.user, &context.ruser].into_iter().flatten() {
        // A person may type a name in another spelling than NSS.
        let is_same = name == token.user.as_str()
            || matches!(daemon.account(caller.lane(), name).await?.key, RecordKey::User(named) if named == token.user);
        if is_same {
            return Ok(true);
        }
    }
    Ok(false)
}
