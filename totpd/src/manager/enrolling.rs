//! Enrolling: a factor from its making to its first code.

use std::sync::Arc;

use totpd_interface::{Dictionary, Error};
use totpd_qr::Picture;

use crate::clock;
use crate::code::Code;
use crate::daemon::Daemon;
use crate::enrolment::{self, Confirmation, Diagnosis};
use crate::manager::actor::Actor;
use crate::manager::log::{change, refusal};
use crate::manager::new_factor::new_factor;
use crate::manager::recovering::first_recovery_codes;
use crate::options::Options;
use crate::proof::Proof;
use crate::record::Record;
use crate::state;
use crate::target::Target;
use crate::uri;

/// Makes a factor, or finds the one that waits.
pub(super) async fn enroll(
    daemon: &Daemon,
    actor: &Actor,
    options: &Dictionary,
) -> Result<(String, String, Dictionary), Error> {
    let mut options = Options::parse(options, &daemon.config)?;
    if !actor.caller.is_root() && options.confirmed {
        return Err(Error::NotAuthorized("only root may enrol without a first code".into()));
    }
    let code = std::mem::take(&mut options.code);
    let proof = Proof::of(daemon, actor.caller, actor.needs_code, &actor.target, &code).await?;
    let (resume, wants_codes, wants_qr) = (options.resume, options.recovery_codes, options.qr);
    let confirmed = options.confirmed;
    let if_unenrolled = options.if_unenrolled;
    let issuer = issuer(daemon, options.issuer.take());
    let now = clock::now();
    let new = new_factor(options, now, daemon.config.enrolment.unverified_lifetime)?;
    let rules = daemon.config.enrolment.clone();
    let uid = actor.target.uid_now();
    let offers = Arc::clone(&daemon.offers);
    let added = daemon
        .update(&actor.target, move |record| {
            let (proven, mut record) = proof.check(record);
            if let Err(error) = proven {
                return (Err(error), record);
            }
            if record.uid != uid {
                // Another person had this name before: nothing of theirs is inherited.
                record = Record { throttle: record.throttle, ..Record::new(uid) };
            }
            if if_unenrolled && record.is_enrolled() {
                let told = "the user is enrolled already, and is left alone";
                return (Err(Error::AlreadyEnrolled(told.into())), record);
            }
            // A key that was shown at a login may have been seen by anybody who knows the password.
            let waiting = enrolment::waiting(&record, now).filter(|old| !offers.has(&old.id));
            let waiting = waiting.filter(|_| resume).cloned();
            if waiting.is_some()
                && confirmed
                && let Some(verified) = enrolment::verify_waiting(&mut record, now, &rules)
            {
                return (Ok((verified, true)), record);
            }
            if let Some(waiting) = waiting {
                return (Ok((waiting, true)), record);
            }
            let added = enrolment::add(&mut record, new.clone(), &rules).map_err(|_| {
                Error::AlreadyEnrolled(
                    "there is no room for another factor; remove one first".into(),
                )
            });
            (added.map(|()| (new.clone(), false)), record)
        })
        .await?;
    let (factor, resumed) = added.inspect_err(|error| refusal(&actor.name, actor.caller, error))?;
    let link = uri::otpauth(&factor, &issuer, actor.name.as_str());
    let codes = match factor.is_verified() && wants_codes {
        true => first_recovery_codes(daemon, &actor.target).await?,
        false => Vec::new(),
    };
    let mut details = state::parameters(&factor)
        .with("issuer", issuer)
        .with("account", actor.name.as_str().to_owned())
        .with("resumed", resumed)
        .with("recovery_codes", codes)
        .with_some("expires", state::expires(&factor));
    if wants_qr && let Ok(picture) = Picture::of(&link, QR_MARGIN) {
        let width = u32::try_from(picture.width()).unwrap_or_default();
        details = details.with("qr", picture.bytes()).with("qr_width", width);
    }
    let what = match resumed {
        true => format!("{} factor shown again", factor.status.name()),
        false => format!("{} factor made", factor.status.name()),
    };
    change(&actor.name, factor.id.as_str(), &what, actor.caller).write();
    Ok((factor.id.to_string(), link.to_string(), details.into()))
}

/// What stands before the account in a phone app.
pub(crate) fn issuer(daemon: &Daemon, given: Option<String>) -> String {
    given.unwrap_or_else(|| daemon.config.issuer.clone()).replace("%h", &daemon.host)
}

/// Tries the first code of a factor; answers the recovery codes that were made.
pub(super) async fn confirm(
    daemon: &Daemon,
    actor: &Actor,
    factor: &str,
    code: &str,
) -> Result<Vec<String>, Error> {
    let Some(code) = Code::parse(code) else {
        return Err(Error::BadCode("that is no code: type the digits of your app".into()));
    };
    let told = first_code(daemon, &actor.target, factor, code).await?;
    change(&actor.name, factor, outcome(&told), actor.caller).write();
    match told {
        Confirmation::Verified => first_recovery_codes(daemon, &actor.target).await,
        Confirmation::Wrong { left, diagnosis } => {
            Err(Error::BadCode(format!("wrong code; {left} more tries. {}", words(&diagnosis))))
        }
        Confirmation::Dropped => Err(Error::Expired(
            "wrong code, for the fifth time: the new factor is gone; enrol again".into(),
        )),
        Confirmation::Expired => {
            Err(Error::Expired("the new factor waited too long; enrol again".into()))
        }
        Confirmation::NotWaiting => {
            Err(Error::NotEnrolled("no such factor waits for a first code".into()))
        }
    }
}

/// Tries the first code of the factor `id`.
pub(crate) async fn first_code(
    daemon: &Daemon,
    target: &Target,
    id: &str,
    code: Code,
) -> Result<Confirmation, Error> {
    let (id, now, rules) = (id.to_owned(), clock::now(), daemon.config.enrolment.clone());
    let uid = target.uid_now();
    daemon
        .update(target, move |mut record| {
            let told = if record.uid == uid {
                enrolment::confirm(&mut record, &id, &code, now, &rules)
            } else {
                Confirmation::NotWaiting
            };
            (told, record)
        })
        .await
}

/// What the journal says of a first code.
pub(crate) fn outcome(told: &Confirmation) -> &'static str {
    match told {
        Confirmation::Verified => "factor confirmed by its first code",
        Confirmation::Wrong { .. } => "wrong first code",
        Confirmation::Dropped => "factor dropped after five wrong first codes",
        Confirmation::Expired => "factor dropped, its first code came too late",
        Confirmation::NotWaiting => "no factor of this id waits for a code",
    }
}

/// What may be the matter, in words.
pub(crate) fn words(diagnosis: &Diagnosis) -> String {
    match diagnosis {
        Diagnosis::Neighbour { before: true } => {
            "That is the code before: type the one that the app shows now.".into()
        }
        Diagnosis::Neighbour { before: false } => {
            "That is the code after: the clock of the phone is a little fast.".into()
        }
        Diagnosis::ClockOff { ahead } => {
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
            format!("Your app ignored {ignored}: enrol again with {instead}.")
        }
        Diagnosis::OldFactor => {
            "That is a code of the factor that you had before: look at the new entry of the app."
                .into()
        }
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
    use super::*;
    use crate::otp::Algorithm;

    #[test]
    fn a_diagnosis_says_what_to_do() {
        let ignored =
            |algorithm, digits, period| Diagnosis::ParametersIgnored { algorithm, digits, period };
        for (diagnosis, expected) in [
            (Diagnosis::ClockOff { ahead: -240 }, "The clock of your phone is 4 minutes slow."),
            (Diagnosis::ClockOff { ahead: 90 }, "The clock of your phone is 90 seconds fast."),
            (Diagnosis::ClockOff { ahead: 100 }, "The clock of your phone is 2 minutes fast."),
            (
                ignored(Algorithm::Sha256, 6, 30),
                "Your app ignored SHA256: enrol again with --algorithm SHA1.",
            ),
            (
                ignored(Algorithm::Sha512, 8, 60),
                "Your app ignored SHA512 and 8 digits and 60 seconds: enrol again with --algorithm \
                 SHA1 --digits 6 --period 30.",
            ),
        ] {
            assert_eq!(words(&diagnosis), expected);
        }
    }
}
