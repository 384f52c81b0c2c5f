//! Enrolling: a factor from its making to its first code.

use totpd_core::code::Code;
use totpd_core::enrollment::{self, Confirmation, Diagnosis, Enrolled, Refusal, Request};
use totpd_core::factor::Maker;
use totpd_formats::otpauth;
use totpd_interface::{Dictionary, Error};
use totpd_qr::Picture;

use crate::audit::change::{change, refusal};
use crate::daemon::Daemon;
use crate::daemon::hash_worker::Work;
use crate::host::clock;
use crate::manage::authorization::AuthorizedCaller;
use crate::manage::enroll_options::Options;
use crate::manage::new_factor::new_factor;
use crate::manage::reauthentication::Reauthentication;
use crate::manage::recovery_codes::first_recovery_codes;
use crate::manage::user_state;

/// Makes a factor, or for root shows its pending one again.
pub(crate) async fn enroll(
    daemon: &Daemon,
    actor: &AuthorizedCaller,
    options: &Dictionary,
) -> Result<(String, String, Dictionary), Error> {
    let mut options = Options::parse(options, &daemon.config)?;
    if !actor.caller.is_root() && options.confirmed {
        return Err(Error::NotAuthorized("only root may enroll without a first code".into()));
    }
    let code = std::mem::take(&mut options.code);
    let proof =
        Reauthentication::of(daemon, actor.caller, actor.needs_code, &actor.target, &code).await?;
    let (wants_codes, wants_qr) = (options.recovery_codes, options.qr);
    let issuer = issuer(daemon, options.issuer.take());
    let now = clock::now();
    let (verify, resume) = (options.factor.take(), options.resume);
    let (if_unenrolled, uid) = (options.if_unenrolled, actor.target.current_uid());
    let lifetime = daemon.config.enrollment.unverified_lifetime;
    let new = new_factor(options, Maker::from_uid(actor.caller.uid), now, lifetime)?;
    let request = Request { new, uid, verify, resume, if_unenrolled };
    let rules = daemon.config.enrollment.clone();
    let enrolled = daemon
        .update(&actor.target, move |record| match proof.check(record) {
            (Err(error), record) => (Err(error), record),
            (Ok(()), record) => {
                let (enrolled, record) = enrollment::enroll(record, &request, now, &rules);
                (enrolled.map_err(refused), record)
            }
        })
        .await?;
    let (factor, what) = enrolled.inspect_err(|error| refusal(daemon, actor, error))?;
    let link = otpauth::otpauth(&factor, &issuer, actor.name.as_str());
    let done = match what {
        Enrolled::Added => format!("{} factor made", factor.status.name()),
        Enrolled::Resumed => format!("{} factor shown again", factor.status.name()),
        Enrolled::Verified => "factor verified without a code".into(),
    };
    change(daemon, actor, factor.id.as_str(), &done);
    // What is made is made: the key has to be told, and codes can be made later.
    let codes = match factor.is_verified() && wants_codes {
        true => {
            first_recovery_codes(daemon, &actor.target, Work::Management).await.unwrap_or_default()
        }
        false => Vec::new(),
    };
    let mut details = user_state::parameters(&factor)
        .with("issuer", issuer)
        .with("account", actor.name.as_str().to_owned())
        .with("resumed", what == Enrolled::Resumed)
        .with("recovery_codes", codes)
        .with_some("usable_from", factor.usable_from())
        .with_some("expires", enrollment::expiry(&factor));
    if wants_qr && let Ok(picture) = Picture::of(&link, QR_MARGIN) {
        let width = u32::try_from(picture.width()).unwrap_or_default();
        details = details.with("qr", picture.bytes()).with("qr_width", width);
    }
    Ok((factor.id.to_string(), link.to_string(), details.into()))
}

/// What a caller learns of a refusal.
fn refused(refusal: Refusal) -> Error {
    match refusal {
        Refusal::AlreadyEnrolled => {
            Error::AlreadyEnrolled("the user is enrolled already, and is left alone".into())
        }
        Refusal::NotPending => Error::NotEnrolled(
            "you made no such factor that waits for a first code; it may have expired, or another one took \
             its place: enroll again"
                .into(),
        ),
        Refusal::TooManyFactors => Error::AlreadyEnrolled(
            "there is no room for another factor; remove one first".into(),
        ),
        Refusal::SameSeed => Error::AlreadyEnrolled(
            "another factor of this user has the same secret, and one code would be good for both; remove \
             that factor first, or take another secret"
                .into(),
        ),
    }
}

/// What stands before the account in a phone app.
pub(crate) fn issuer(daemon: &Daemon, given: Option<String>) -> String {
    given.unwrap_or_else(|| daemon.config.issuer.clone()).replace("%h", &daemon.host)
}

/// Tries the first code of a factor; answers the recovery codes that were made.
pub(crate) async fn confirm(
    daemon: &Daemon,
    actor: &AuthorizedCaller,
    factor: &str,
    code: &str,
) -> Result<Vec<String>, Error> {
    let Some(code) = Code::parse(code) else {
        return Err(Error::InvalidCode("that is no code: type the digits of your app".into()));
    };
    let (id, now, rules) = (factor.to_owned(), clock::now(), daemon.config.enrollment.clone());
    let throttle = daemon.config.rules.throttle.clone();
    let (uid, maker) = (actor.target.current_uid(), Maker::from_uid(actor.caller.uid));
    let confirmation = daemon
        .update(&actor.target, move |mut record| {
            let confirmation = if record.uid == uid {
                enrollment::confirm(&mut record, maker, &id, &code, now, &rules, &throttle)
            } else {
                Confirmation::NotPending
            };
            (confirmation, record)
        })
        .await?;
    change(daemon, actor, factor, outcome(&confirmation));
    match confirmation {
        Confirmation::Verified => {
            let codes = first_recovery_codes(daemon, &actor.target, Work::Management).await;
            Ok(codes.unwrap_or_default())
        }
        Confirmation::Wrong { left, diagnosis } => Err(Error::InvalidCode(format!(
            "wrong code; {left} more {}. {}",
            if left == 1 { "try" } else { "tries" },
            words(&diagnosis)
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
            Err(Error::NotEnrolled("no such factor waits for a first code".into()))
        }
        Confirmation::Refused(refusal) => Err(refused(refusal)),
    }
}

/// What the journal says of a first code.
pub(crate) fn outcome(told: &Confirmation) -> &'static str {
    match told {
        Confirmation::Verified => "factor confirmed by its first code",
        Confirmation::Wrong { .. } => "wrong first code",
        Confirmation::TooManyAttempts => "factor dropped after too many wrong first codes",
        Confirmation::Expired => "factor dropped, its first code came too late",
        Confirmation::NotMaker => "refused: somebody else made this factor",
        Confirmation::NotPending => "no factor of this id waits for a code",
        Confirmation::Refused(_) => "refused: the factor cannot stand beside the others",
    }
}

/// What may be the matter, in words.
pub(crate) fn words(diagnosis: &Diagnosis) -> String {
    match diagnosis {
        Diagnosis::AdjacentStep { before: true } => {
            "That is the code before: type the one that the app shows now.".into()
        }
        Diagnosis::AdjacentStep { before: false } => {
            "That is the code after: the clock of the phone is a little fast.".into()
        }
        Diagnosis::ClockSkew { ahead } => {
            let side = if *ahead < 0 { "slow" } else { "fast" };
            format!("The clock of your phone is {} {side}.", length(ahead.unsigned_abs()))
        }
        Diagnosis::ParametersIgnored { algorithm, digits, period } => {
            let mut ignored = Vec::new();
            let mut instead = Vec::new();
            if algorithm.name() != "SHA1" {
                ignored.push(algorithm.name().to_owned());
                instead.push("--algorithm SHA1");
            }
            if *digits != 6 {
                ignored.push(format!("{digits} digits"));
                instead.push("--digits 6");
            }
            if *period != 30 {
                ignored.push(format!("{period} seconds"));
                instead.push("--period 30");
            }
            let (ignored, instead) = (ignored.join(" and "), instead.join(" "));
            format!("Your app ignored {ignored}: enroll again with {instead}.")
        }
        Diagnosis::OtherFactor => {
            "That is a code of the factor that you had before: look at the new entry of the app."
                .into()
        }
        Diagnosis::Replayed => "That code was used already: type the next one.".into(),
        Diagnosis::Unknown => "Is it the right entry of the app, and its newest code?".into(),
    }
}

fn length(seconds: u64) -> String {
    match seconds {
        0..=90 => format!("{seconds} seconds"),
        _ => format!("{} minutes", (seconds + 30) / 60),
    }
}

/// Dots of light around the code (ISO/IEC 18004 asks for four).
const QR_MARGIN: usize = 4;

#[cfg(test)]
mod tests {
    use totpd_core::otp::Algorithm;

    use super::*;

    #[test]
    fn a_diagnosis_says_what_to_do() {
        let ignored =
            |algorithm, digits, period| Diagnosis::ParametersIgnored { algorithm, digits, period };
        for (diagnosis, expected) in [
            (Diagnosis::ClockSkew { ahead: -240 }, "The clock of your phone is 4 minutes slow."),
            (Diagnosis::ClockSkew { ahead: 90 }, "The clock of your phone is 90 seconds fast."),
            (Diagnosis::ClockSkew { ahead: 100 }, "The clock of your phone is 2 minutes fast."),
            (
                ignored(Algorithm::Sha256, 6, 30),
                "Your app ignored SHA256: enroll again with --algorithm SHA1.",
            ),
            (
                ignored(Algorithm::Sha512, 8, 60),
                "Your app ignored SHA512 and 8 digits and 60 seconds: enroll again with --algorithm \
                 SHA1 --digits 6 --period 30.",
            ),
        ] {
            assert_eq!(words(&diagnosis), expected);
        }
    }
}
