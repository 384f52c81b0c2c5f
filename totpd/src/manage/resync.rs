//! The search for a token that is off.

use totpd_core::code::Code;
use totpd_core::factor::Maker;
use totpd_core::management;
use totpd_core::moment::Moment;
use totpd_core::resync::ResyncOutcome;
use totpd_interface::Error;
use zeroize::Zeroizing;

use crate::audit::event::Factors;
use crate::audit::reason::Reason;
use crate::daemon::Daemon;
use crate::host::clock;
use crate::manage::authorization::AuthorizedCaller;
use crate::manage::refusal::{CODES_VOID, error_of_enrollment};

/// Finds the token `id` by two codes in a row. Both codes are used up.
pub(crate) async fn resync(
    daemon: &Daemon,
    caller: &AuthorizedCaller,
    id: &str,
    codes: &Zeroizing<Vec<String>>,
) -> Result<(), Error> {
    let parsed: Vec<_> = codes.iter().filter_map(|code| Code::parse(code)).collect();
    let Ok([first, second]) = <[Code; 2]>::try_from(parsed) else {
        return Err(Error::InvalidCode(
            "two codes that the token shows in a row are needed".into(),
        ));
    };
    let (wanted, uid, by) = (id.to_owned(), caller.account.current_uid(), caller.maker());
    let (now, rules) = (clock::now(), daemon.config.enrollment.clone());
    let outcome = daemon
        .update(&caller.account, move |record, voids| {
            management::resync(
                record,
                (&wanted, uid),
                (by, (&first, &second)),
                Moment { now, voids },
                &rules,
            )
        })
        .await?;
    match outcome {
        ResyncOutcome::Done => {
            let event = caller.event(Factors::parse(id), Reason::TokenResynchronized);
            daemon.audit.record(&event);
            Ok(())
        }
        ResyncOutcome::CodeVoid => Err(Error::Throttled(CODES_VOID.into())),
        ResyncOutcome::NotFound => {
            let reach = if by == Maker::Root { "an hour" } else { "five minutes" };
            Err(Error::InvalidCode(format!(
                "no two codes in a row like these were found. A button is searched for its next thousand codes, \
                 a clock for {reach} either way"
            )))
        }
        ResyncOutcome::Refused(refusal) => Err(error_of_enrollment(refusal)),
        ResyncOutcome::NoToken => Err(Error::NotEnrolled(no_token(id).into())),
        ResyncOutcome::Disabled => Err(Error::NotEnrolled(
            "the factor is disabled; enable it first (totpctl set USER --factor ID --enable)".into(),
        )),
        ResyncOutcome::NotMaker => Err(Error::NotAuthorized(
            "the factor is pending, and its maker verifies it by its first code (totpctl confirm); \
             only root may resync a pending factor, and only its own"
                .into(),
        )),
    }
}

/// Says why there is no token. An empty `id` named none.
fn no_token(id: &str) -> &'static str {
    match id.is_empty() {
        true => "there is no token, or more than one: name the factor",
        false => "there is no such factor; \"totpctl show\" lists them",
    }
}
