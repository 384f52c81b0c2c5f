//! A first login: a user who passed the password and has no factor makes one right there.

use totpd_core::account::Account;
use totpd_core::code::Code;
use totpd_core::enrollment::{self, Completion, Confirmation};
use totpd_core::factor::{FactorId, LoginNonce, LoginToken, Maker};
use totpd_core::record_key::RecordKey;
use totpd_formats::otpauth;
use totpd_interface::login::{
    BeginReply, CompletionReply, LoginContext, Method, Nonce, VerifyReply,
};
use totpd_interface::{Dictionary, Error};
use totpd_journal::escape::{MAX_NAME_CHARS, escape_within};
use totpd_journal::{Entry, Priority};

use crate::access::login_context::is_at_terminal;
use crate::daemon::Daemon;
use crate::daemon::hash_worker::Work;
use crate::host::clock;
use crate::host::locale;
use crate::login::enrollment_screen::{NOT_KEPT, after_enrollment, screen, wrapped};
use crate::manage::enroll;
use crate::manage::enroll_options::Options;
use crate::manage::first_code;
use crate::manage::new_factor::new_factor;
use crate::manage::recovery_codes;

/// What to show `user`, if it exists and has no factor: a new one for this authentication alone, which waits for
/// its first code.
///
/// # Errors
/// As the contract has them.
pub(crate) async fn offer(
    daemon: &Daemon,
    user: &str,
    nonce: Nonce,
    context: &LoginContext,
) -> Result<Option<BeginReply>, Error> {
    let target = daemon.target(user).await?;
    let Some(uid) = target.uid.filter(|_| daemon.config.self_service) else { return Ok(None) };
    let stored = daemon.told(daemon.store.read(target.key.clone()).await)?;
    if stored.is_some_and(|record| record.is_enrolled()) {
        // As nearly everybody: there is nothing to write.
        return Ok(None);
    }
    let now = clock::now();
    let options = Options::parse(&Dictionary::new(), &daemon.config)?;
    let rules = daemon.config.enrollment.clone();
    let new = new_factor(
        options,
        Maker::Login(LoginNonce::new(nonce.bytes())),
        now,
        rules.unverified_lifetime,
    )?;
    let offered = daemon
        .update(&target, move |record| enrollment::offer(record, uid, &new, now, &rules))
        .await?;
    let Some(factor) = offered else { return Ok(None) };
    // Whoever saw the key can be found, also if they hung up then. Only root's programs come here, behind a password: this
    // is no flood that a budget would have to sum up.
    let name = escape_within(target.loggable().unwrap_or_default(), MAX_NAME_CHARS);
    Entry::new(Priority::Notice, format!("unverified factor made at a login of {name}"))
        .with("TOTP_USER", &name)
        .with("TOTP_FACTOR", factor.id.as_str())
        .with("TOTP_REASON", "unverified factor made at a login")
        .with("TOTP_RHOST", context.rhost.as_deref().unwrap_or_default())
        .with("TOTP_SERVICE", context.service.as_deref().unwrap_or_default())
        .write();
    let link = otpauth::otpauth(&factor, &enroll::issuer(daemon, None), user);
    let text = screen(&link, &factor.seed.base32(), locale::system_locale_is_utf8());
    let (factor, uri) = (factor.id.to_string(), Some(link.as_str().to_owned()));
    Ok(Some(BeginReply::Enroll { text, factor, uri }))
}

/// The reply to the first code of the factor `id`, and what the journal says. A right code is
/// answered with a token, which the end of the login has to show ([`complete`]).
///
/// # Errors
/// As the contract has them.
pub(crate) async fn judge(
    daemon: &Daemon,
    target: &Account,
    (nonce, id): (Nonce, &str),
    code: &str,
    context: &LoginContext,
) -> Result<(VerifyReply, &'static str), Error> {
    let denied = |reason| Ok((VerifyReply::Denied { message: None }, reason));
    let Some(code) = Code::parse(code) else { return denied("not a code") };
    let (RecordKey::User(name), Some(factor)) = (&target.key, FactorId::parse(id)) else {
        return denied("no factor of this id waits for a code");
    };
    let mut secret = [0; 16];
    getrandom::fill(&mut secret).map_err(|error| {
        Error::Internal(format!("cannot make a token for the login: getrandom failed: {error}"))
    })?;
    let token = LoginToken::new(secret, factor, name.clone());
    let digest = token.digest(context.service.as_deref().unwrap_or_default());
    let (id, uid) = (id.to_owned(), target.current_uid());
    let (now, rules) = (clock::now(), daemon.config.enrollment.clone());
    let nonce = LoginNonce::new(nonce.bytes());
    let judged = daemon
        .update(target, move |mut record| {
            let login = (nonce, uid);
            let judged = enrollment::prove(&mut record, login, &id, &code, digest, now, &rules);
            (judged, record)
        })
        .await?;
    match judged {
        Ok(()) => {
            let token = Some(token.text().to_string());
            let reply = VerifyReply::Approved { method: Some(Method::Totp), message: None, token };
            Ok((reply, "right first code; the login has to end well"))
        }
        Err(Confirmation::Wrong { diagnosis, .. }) => {
            let why = format!("Wrong code. {}", first_code::advice(&diagnosis));
            Ok((VerifyReply::Denied { message: Some(wrapped(&why)) }, "wrong first code"))
        }
        Err(other) => denied(first_code::outcome(&other)),
    }
}

/// What came of the end of a login that shows `token`.
pub(crate) struct Completed {
    /// The name of whose login it is, if this machine knows it.
    pub(crate) user: Option<String>,
    /// The reply.
    pub(crate) reply: CompletionReply,
    /// What the journal says.
    pub(crate) reason: &'static str,
    /// The factor.
    pub(crate) factor: String,
}

/// Makes the factor good that the token is for: libpam asked for the credentials of its login.
///
/// # Errors
/// [`Error::InvalidArgument`] where it is no token; as the contract has them.
pub(crate) async fn complete(
    daemon: &Daemon,
    token: &str,
    context: &LoginContext,
) -> Result<Completed, Error> {
    let no_token = || Error::InvalidArgument("that is no token of a login".into());
    let token = LoginToken::parse(token).ok_or_else(no_token)?;
    let target = daemon.target(token.user.as_str()).await?;
    let is_theirs = is_login_of(daemon, &token, context).await?;
    let digest = token.digest(context.service.as_deref().unwrap_or_default());
    let (id, uid) = (token.factor.clone(), target.current_uid());
    let (now, rules) = (clock::now(), daemon.config.enrollment.clone());
    let completion = daemon
        .update(&target, move |mut record| {
            let completion = match is_theirs && record.uid == uid {
                true => enrollment::complete(&mut record, &id, &digest, now, &rules),
                false => Completion::Unknown,
            };
            (completion, record)
        })
        .await?;
    let reason = match completion {
        Completion::Verified => "factor confirmed by its first code",
        Completion::AlreadyEnrolled => "another factor was verified meanwhile",
        Completion::Expired => "the login took too long to end",
        Completion::Unknown => "no factor waits for this token",
    };
    let is_verified = completion == Completion::Verified;
    let message = if is_verified {
        let codes = match is_at_terminal(context) && !context.quiet {
            // The factor is verified by now, and codes can be made later.
            true => recovery_codes::first_recovery_codes(daemon, &target, Work::Login)
                .await
                .unwrap_or_default(),
            false => Vec::new(),
        };
        daemon.watchers.factors_changed(target.current_uid(), token.user.as_str());
        (daemon.config.recovery_codes > 0).then(|| after_enrollment(&codes))
    } else {
        Some(NOT_KEPT.to_owned())
    };
    Ok(Completed {
        user: target.loggable().map(ToOwned::to_owned),
        reply: CompletionReply { is_verified, message },
        reason,
        factor: token.factor.to_string(),
    })
}

/// Whether the login that ends is that of the token's user: the one that it is for, or where the program has put
/// in another one by now (sudo), the one who asks. A program may try several users in one handle of libpam.
async fn is_login_of(
    daemon: &Daemon,
    token: &LoginToken,
    context: &LoginContext,
) -> Result<bool, Error> {
    for name in [&context.user, &context.ruser].into_iter().flatten() {
        // A name may be typed otherwise than NSS spells it.
        let is_same = name == token.user.as_str()
            || matches!(daemon.target(name).await?.key, RecordKey::User(named) if named == token.user);
        if is_same {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Where a program cannot show a new factor.
pub(crate) const ENROLL_ELSEWHERE: &str = "You have no second factor yet. Run: totpctl enroll";
