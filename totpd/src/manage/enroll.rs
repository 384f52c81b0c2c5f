//! Enrollment: a factor from its creation to its first code.

use totpd_core::code::Code;
use totpd_core::enrollment::{
    self, Confirmation, Enrolled, EnrollmentRules, LabelHistory, Request,
};
use totpd_core::management::{self, Reauthentication};
use totpd_core::moment::Moment;
use totpd_formats::export::otpauth_uri;
use totpd_interface::{DictBuilder, Dictionary, Error};
use totpd_qr::Picture;

use crate::audit::event::Factors;
use crate::audit::reason::Reason;
use crate::daemon::Daemon;
use crate::daemon::hash_worker::Work;
use crate::factors::enroll_options::Options;
use crate::factors::first_code::advice;
use crate::factors::issuer::issuer;
use crate::factors::new_factor::new_factor;
use crate::factors::option_values::invalid;
use crate::factors::recovery_codes::first_recovery_codes;
use crate::host::clock;
use crate::manage::authorization::AuthorizedCaller;
use crate::manage::reauthentication::reauthentication;
use crate::manage::refusal::{CODES_VOID, error_of_enrollment, refuse};
use crate::manage::user_state;

/// Adds a factor, or for root shows its pending factor again.
pub(crate) async fn enroll(
    daemon: &Daemon,
    caller: &AuthorizedCaller,
    mut options: Options,
) -> Result<(String, String, Dictionary), Error> {
    let code = std::mem::take(&mut options.code);
    if options.dry_run && !code.is_empty() {
        return Err(invalid("code", "left out if dry_run is given: it would be used up"));
    }
    let proof = reauthentication(daemon, caller, &code).await?;
    let (wants_codes, wants_qr, dry_run) = (options.recovery_codes, options.qr, options.dry_run);
    let issuer = issuer(daemon, options.issuer.take());
    let (now, rules) = (clock::now(), daemon.config.enrollment.clone());
    let request = Request {
        uid: caller.account.current_uid(),
        verify: options.factor.take(),
        resume: options.resume,
        if_unenrolled: options.if_unenrolled,
        new: new_factor(options, caller.maker(), now, rules.unverified_lifetime)?,
    };
    if dry_run {
        return plan(daemon, caller, (&proof, &request), now, &rules).await;
    }
    let name = caller.name.clone();
    let enrolled = daemon
        .update(&caller.account, move |record, voids| {
            let history = LabelHistory::from_record(&record);
            let (enrolled, record) =
                management::enroll(record, &proof, voids, &request, now, &rules);
            let enrolled = enrolled.map(|(factor, outcome)| {
                let replaces = enrollment::replaced_by(&record, &factor, &rules);
                let replaces: Vec<_> = replaces.map(ToString::to_string).collect();
                (history.account(name.as_str(), &factor), factor, outcome, replaces)
            });
            (enrolled, record)
        })
        .await?;
    let (account, factor, outcome, replaces) =
        enrolled.map_err(|refusal| refuse(daemon, caller, refusal))?;
    let link = otpauth_uri(&factor, &issuer, &account);
    let reason = Reason::from_enrolled(outcome, factor.is_verified());
    daemon.audit.record(&caller.event(Factors::One(factor.id.clone()), reason));
    // The factor is on disk, so the daemon returns its key in any case. The user can make codes
    // later.
    let codes = if factor.is_verified() && wants_codes {
        let codes = first_recovery_codes(daemon, &caller.account, Work::Management).await;
        codes.unwrap_or_default()
    } else {
        Vec::new()
    };
    let mut details = user_state::parameters(&factor)
        .with("issuer", issuer)
        .with("account", account)
        .with("replaces", replaces)
        .with("resumed", outcome == Enrolled::Resumed)
        .with("recovery_codes", codes)
        .with_some("usable_from", factor.usable_from())
        .with_some("expires", enrollment::expiry(&factor));
    if wants_qr && let Ok(picture) = Picture::new(&link, QR_MARGIN) {
        let width = u32::try_from(picture.width()).unwrap_or_default();
        details = details.with("qr", picture.bytes()).with("qr_width", width);
    }
    Ok((factor.id.to_string(), link.to_string(), details.into()))
}

/// Judges a request as [`enroll`] does, and forgets the outcome. Returns no id and no link.
async fn plan(
    daemon: &Daemon,
    caller: &AuthorizedCaller,
    (proof, request): (&Reauthentication, &Request),
    now: u64,
    rules: &EnrollmentRules,
) -> Result<(String, String, Dictionary), Error> {
    let record = caller.account.record(daemon.read(&caller.account).await?);
    let before = record.clone().for_account(request.uid, now);
    let (planned, after) =
        management::enroll(record, proof, &daemon.void_windows(), request, now, rules);
    let (factor, outcome) = planned.map_err(|refusal| refuse(daemon, caller, refusal))?;
    let replaces = enrollment::replaced_in(&before, &after, &factor, rules);
    let replaces: Vec<_> = replaces.map(ToString::to_string).collect();
    let details =
        DictBuilder::new().with("replaces", replaces).with("resumed", outcome == Enrolled::Resumed);
    Ok((String::new(), String::new(), details.into()))
}

/// Tries the first code of a factor. Returns the recovery codes that the daemon made.
pub(crate) async fn confirm(
    daemon: &Daemon,
    caller: &AuthorizedCaller,
    factor: &str,
    code: &str,
) -> Result<Vec<String>, Error> {
    let Some(code) = Code::parse(code) else {
        return Err(Error::InvalidCode("that is no code: type the digits of your app".into()));
    };
    let (id, now, rules) = (factor.to_owned(), clock::now(), daemon.config.enrollment.clone());
    let throttle = daemon.config.rules.throttle.clone();
    let account = (caller.maker(), caller.account.current_uid());
    let confirmation = daemon
        .update(&caller.account, move |record, voids| {
            management::confirm(
                record,
                account,
                (&id, &code),
                Moment { now, voids },
                &rules,
                &throttle,
            )
        })
        .await?;
    daemon.audit.record(&caller.event(Factors::parse(factor), Reason::from(&confirmation)));
    match confirmation {
        Confirmation::CodeVoid => Err(Error::Throttled(CODES_VOID.into())),
        Confirmation::Verified => {
            let codes = first_recovery_codes(daemon, &caller.account, Work::Management).await;
            Ok(codes.unwrap_or_default())
        }
        Confirmation::Wrong { left, diagnosis } => Err(Error::InvalidCode(format!(
            "wrong code; {left} more {}. {}",
            if left == 1 { "try" } else { "tries" },
            advice(&diagnosis, clock::is_known_to_be_synchronized())
        ))),
        Confirmation::TooManyAttempts => Err(Error::Expired(
            "wrong code, and it was the last one allowed: the new factor is gone; enroll again"
                .into(),
        )),
        Confirmation::Expired => {
            Err(Error::Expired("the new factor waited too long; enroll again".into()))
        }
        Confirmation::NotMaker => Err(Error::NotAuthorized(
            "somebody else made this factor, and only its maker confirms it; make another one \
             with \"totpctl enroll USER\""
                .into(),
        )),
        Confirmation::NotPending => {
            Err(Error::NotEnrolled("no factor with this id is pending; enroll again".into()))
        }
        Confirmation::Refused(refusal) => Err(error_of_enrollment(refusal)),
    }
}

/// The light dots around the code (ISO/IEC 18004 asks for four).
const QR_MARGIN: usize = 4;
