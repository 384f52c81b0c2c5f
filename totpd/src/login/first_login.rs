//! A first login. A user who passed the password and has no factor adds one at this login.

use totpd_core::account::Account;
use totpd_core::enrollment::{self, Confirmation, LabelHistory};
use totpd_core::factor::{FactorId, LoginNonce, LoginToken, Maker};
use totpd_core::moment::Moment;
use totpd_core::record_key::RecordKey;
use totpd_formats::export::otpauth_uri;
use totpd_interface::login::{BeginReply, LoginContext, Method, Nonce, VerifyReply};
use totpd_interface::{Dictionary, Error};

use crate::access::caller::Caller;
use crate::access::login_context::login_source;
use crate::audit::event::{Event, LoginEvent, LoginOutcome, LoginScene};
use crate::audit::reason::Reason;
use crate::daemon::Daemon;
use crate::daemon::typed_text::TypedText;
use crate::factors::enroll_options::Options;
use crate::factors::first_code;
use crate::factors::issuer::issuer;
use crate::factors::new_factor::new_factor;
use crate::host::clock;
use crate::host::locale;
use crate::login::enrollment_screen::{screen, wrap};

/// The first code of a factor that the daemon showed at a login.
#[derive(Clone, Copy)]
pub(crate) struct FirstCode<'a> {
    /// The nonce of the authentication that showed the factor.
    pub(crate) nonce: Nonce,
    /// The id of the factor, as the module says it.
    pub(crate) factor: &'a str,
    /// The typed code.
    pub(crate) code: &'a str,
}

/// Shows the user of `account` a new factor, if the user exists and has no factor. The factor is
/// for this authentication alone, and pending until its first code.
///
/// # Errors
/// The errors of the contract.
pub(crate) async fn offer(
    daemon: &Daemon,
    caller: Caller,
    account: &Account,
    nonce: Nonce,
    context: &LoginContext,
) -> Result<Option<BeginReply>, Error> {
    let Some(uid) = account.uid else { return Ok(None) };
    let now = clock::now();
    let options = Options::parse(&Dictionary::new(), &daemon.config)?;
    let rules = daemon.config.enrollment.clone();
    let maker = Maker::Login(LoginNonce::new(nonce.bytes()));
    let new = new_factor(options, maker, now, rules.unverified_lifetime)?;
    // NSS may spell the name in another way than the person.
    let RecordKey::User(name) = account.key.clone() else { return Ok(None) };
    let offered = daemon
        .update(account, move |record, _| {
            let history = LabelHistory::from_record(&record);
            let (offered, record) = enrollment::offer(record, uid, &new, now, &rules);
            let offered = offered.map(|factor| (history.account(name.as_str(), &factor), factor));
            (offered, record)
        })
        .await?;
    let Some((label, factor)) = offered else { return Ok(None) };
    // The record names the place that showed the key, even if nobody types a code.
    let source = login_source(context, caller.uid);
    let login = LoginScene { caller, account, context, source: &source };
    daemon.audit.record(&Event::Login(LoginEvent {
        factor: Some(factor.id.clone()),
        ..LoginEvent::new(login, LoginOutcome::Enrolling, Reason::FactorShown)
    }));
    let link = otpauth_uri(&factor, &issuer(daemon, None), &label);
    let text = screen(&link, &factor.seed.base32(), locale::system_locale_is_utf8());
    let (factor, uri) = (factor.id.to_string(), Some(link.as_str().to_owned()));
    Ok(Some(BeginReply::Enroll { text, factor, uri }))
}

/// Verifies the first code of a factor. The reply to a right code has a token, which the end of the
/// login has to show ([`complete`](crate::login::completion::complete)).
///
/// # Errors
/// The errors of the contract.
pub(crate) async fn verify(
    daemon: &Daemon,
    account: &Account,
    context: &LoginContext,
    FirstCode { nonce, factor: id, code }: FirstCode<'_>,
) -> Result<(VerifyReply, Reason), Error> {
    let denied = |reason| Ok((VerifyReply::Denied { message: None }, reason));
    let code = match TypedText::parse(code) {
        TypedText::Code(code) => code,
        TypedText::BlockedBySshd => return denied(Reason::SshdBlockedLogin),
        TypedText::Other => return denied(Reason::Malformed),
    };
    let (RecordKey::User(name), Some(factor)) = (&account.key, FactorId::parse(id)) else {
        return denied(Reason::FactorNotPending);
    };
    let mut secret = [0; 16];
    getrandom::fill(&mut secret).map_err(|error| {
        Error::Internal(format!("cannot make a token for the login: getrandom failed: {error}"))
    })?;
    let token = LoginToken::new(secret, factor, name.clone());
    let digest = token.digest(context.service.as_deref().unwrap_or_default());
    let login = (LoginNonce::new(nonce.bytes()), account.current_uid());
    let (id, now, rules) = (id.to_owned(), clock::now(), daemon.config.enrollment.clone());
    let proven = daemon
        .update(account, move |mut record, voids| {
            let proven = enrollment::prove(
                &mut record,
                login,
                &id,
                &code,
                digest,
                Moment { now, voids },
                &rules,
            );
            (proven, record)
        })
        .await?;
    match proven {
        Ok(()) => {
            let token = Some(token.text().to_string());
            let reply = VerifyReply::Approved { method: Some(Method::Totp), message: None, token };
            Ok((reply, Reason::FirstCodeAccepted))
        }
        Err(Confirmation::Wrong { diagnosis, .. }) => {
            let advice = first_code::advice(&diagnosis, clock::is_known_to_be_synchronized());
            let message = format!("Wrong code. {advice}");
            let reply = VerifyReply::Denied { message: Some(wrap(&message)) };
            Ok((reply, Reason::FirstCodeWrong))
        }
        Err(other) => denied(Reason::from(&other)),
    }
}

/// The text of a program that cannot show a new factor.
pub(crate) const ENROLL_ELSEWHERE: &str = "You have no second factor yet. Run: totpctl enroll";
