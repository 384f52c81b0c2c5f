//! The errors that a caller gets for a refused change.

use totpd_core::{enrollment, management};
use totpd_interface::Error;

use crate::audit::event::Factors;
use crate::audit::reason::Reason;
use crate::daemon::Daemon;
use crate::manage::authorization::AuthorizedCaller;

/// Returns the error for the caller. Records a missing or wrong code, because guesses must be seen.
pub(crate) fn refuse(
    daemon: &Daemon,
    caller: &AuthorizedCaller,
    refusal: management::Refusal,
) -> Error {
    use management::Refusal;
    if matches!(
        refusal,
        Refusal::CodeNeeded | Refusal::CodeWrong | Refusal::CodesVoid | Refusal::Throttled
    ) {
        let event = caller.event(Factors::Unnamed, Reason::ReauthenticationFailed);
        daemon.audit.record(&event);
    }
    error_of(refusal)
}

/// Returns the error of the contract for a refusal of management.
fn error_of(refusal: management::Refusal) -> Error {
    use management::Refusal;
    match refusal {
        Refusal::CodeNeeded => Error::InvalidCode(
            "you have a verified factor: a current code of it is needed, or a recovery code".into(),
        ),
        Refusal::CodeWrong => {
            Error::InvalidCode("the current code is wrong, or was used before".into())
        }
        Refusal::Throttled => Error::Throttled("too many wrong codes; try again later".into()),
        Refusal::CodesVoid => Error::Throttled(CODES_VOID.into()),
        Refusal::NoSuchFactor => {
            Error::NotEnrolled("there is no such factor; \"totpctl show\" lists them".into())
        }
        Refusal::NothingRemoved => Error::NotEnrolled(
            "there is no such factor, or only its maker and root may remove it".into(),
        ),
        Refusal::NotEnrolled => Error::NotEnrolled(
            "recovery codes stand in for a factor, and there is none: enroll first".into(),
        ),
        Refusal::EndsBeforeStart => {
            Error::InvalidArgument("not_after must be later than not_before".into())
        }
        Refusal::NotVerified => {
            Error::InvalidArgument("only a verified factor can be disabled".into())
        }
        Refusal::StillPending => Error::InvalidArgument(
            "a pending factor cannot be enabled; confirm it with its first code".into(),
        ),
        Refusal::NotMaker => Error::NotAuthorized(
            "this factor is pending, and only its maker and root may change it".into(),
        ),
        Refusal::Enrollment(refusal) => error_of_enrollment(refusal),
    }
}

/// Returns the error of the contract for a refusal of enrollment.
pub(crate) fn error_of_enrollment(refusal: enrollment::Refusal) -> Error {
    use enrollment::Refusal;
    match refusal {
        Refusal::AlreadyEnrolled => {
            Error::AlreadyEnrolled("the user is enrolled already, and is left alone".into())
        }
        Refusal::NotPending => Error::NotEnrolled(
            "no factor with this id, which you made, is pending; it may have expired or been replaced; \
             enroll again"
                .into(),
        ),
        Refusal::TooManyFactors => Error::AlreadyEnrolled(
            "there is no room for another factor; remove one first".into(),
        ),
        Refusal::SameSeed => Error::AlreadyEnrolled(
            "another factor of this user has the same secret; remove it first, or use another secret"
                .into(),
        ),
    }
}

/// The records of the present time may be incomplete.
pub(crate) const CODES_VOID: &str =
    "present codes may have been used, and the records of it were lost; try again in two minutes";
