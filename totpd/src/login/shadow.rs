//! Shadow mode: logins that another module decides. The daemon notes its own verdict, and tells it
//! to nobody but root.

use totpd_core::account::Account;
use totpd_core::authorization::Operation;
use totpd_core::policy::Requirement;
use totpd_core::shadowing;
use totpd_core::verification::{Answer, Attempt, Methods};
use totpd_interface::Error;
use totpd_interface::login::{LoginContext, Nonce};

use crate::access::caller::Caller;
use crate::access::login_context::login_source;
use crate::audit::event::{Event, LoginEvent, LoginOutcome, LoginScene};
use crate::audit::reason::Reason;
use crate::daemon::Daemon;
use crate::daemon::typed_answer::TypedAnswer;
use crate::host::clock;
use crate::login::exemption::{self, Standing};
use crate::login::ruling::{self, Scene};

/// Judges `code` as a login would, and notes the verdict under the nonce of the login. Names that
/// no user has cost the same work.
///
/// # Errors
/// [`Error::NotAuthorized`]. The other errors of the contract.
pub(super) async fn judge(
    daemon: &Daemon,
    caller: Caller,
    user: &str,
    code: &str,
    context: &LoginContext,
) -> Result<(), Error> {
    let (account, nonce) = look_up(daemon, caller, user, context).await?;
    let source = login_source(context, caller.uid);
    let rulebook = ruling::rulebook(daemon, caller);
    let mut requirement = Requirement::DEFAULT;
    if let Some(rulebook) = &rulebook {
        let Standing { is_unenrolled, .. } = exemption::standing(daemon, &account).await?;
        let now = daemon.judging_time(rulebook);
        let lane = caller.lane();
        let scene = Scene { account: &account, is_unenrolled, context, now, lane };
        requirement = ruling::decision(daemon, rulebook, scene, None).await.requirement;
    }
    let (now, methods) = (clock::now(), ruling::methods(&requirement));
    // Every login is compared by its code. None is remembered, and none passes by an earlier one.
    let is_let_by = ruling::passage(&requirement, None, context, now).is_some();
    let answer = match TypedAnswer::parse(code) {
        // No such code counts, so it is not worth its hash.
        TypedAnswer::Other if methods == Methods::NONE => Answer::Malformed,
        _ => daemon.classify_answer(&account, code, &source).await?,
    };
    let attempt = Attempt {
        answer,
        factor: None,
        methods,
        service: context.service.clone(),
        source,
        uid: account.current_uid(),
        now,
    };
    let rules = daemon.config.rules.clone();
    daemon
        .update(&account, move |record, voids| {
            ((), shadowing::judge(record, &attempt, &rules, voids, is_let_by, nonce.bytes()))
        })
        .await
}

/// Notes that the other module let in the login of the nonce. The journal has a record of it if the
/// login would have been refused here.
///
/// # Errors
/// Those of [`judge`].
pub(super) async fn let_in(
    daemon: &Daemon,
    caller: Caller,
    user: &str,
    context: &LoginContext,
) -> Result<(), Error> {
    let (account, nonce) = look_up(daemon, caller, user, context).await?;
    let now = clock::now();
    let let_in = daemon
        .update(&account, move |mut record, _| (record.shadow.let_in(nonce.bytes(), now), record))
        .await?;
    if let_in.is_some_and(|login| login.refused_by.is_some()) {
        let source = &login_source(context, caller.uid);
        let login = LoginScene { caller, account: &account, context, source };
        let event = LoginEvent::new(login, LoginOutcome::Noted, Reason::ShadowDiffers);
        daemon.audit.record(&Event::Login(event));
    }
    Ok(())
}

async fn look_up(
    daemon: &Daemon,
    caller: Caller,
    user: &str,
    context: &LoginContext,
) -> Result<(Account, Nonce), Error> {
    caller.must_be_allowed(Operation::Shadow)?;
    let no_nonce = || Error::InvalidArgument("a login in shadow mode needs a nonce".into());
    let nonce = context.nonce.ok_or_else(no_nonce)?;
    Ok((daemon.account_for(caller, user).await?, nonce))
}
