//! The requests of a batch. An error of one user fails its line. An error of the daemon ends the
//! batch.

use std::time::Duration;

use totpd_interface::{Dictionary, Error as DaemonError, ManagerProxy};
use zeroize::Zeroizing;

use super::outcome::{Entry, Outcome};
use crate::client::{details, with_timeout};
use crate::commands::enroll::verification;
use crate::error::Error;

/// Enrolls a user, or asks what that would do (`dry_run`).
pub(super) async fn enroll(
    totpd: &ManagerProxy<'_>,
    timeout: Duration,
    user: &str,
    request: &Dictionary,
) -> Result<Outcome, Error> {
    match with_timeout(timeout, totpd.enroll(user, request)).await? {
        Ok((factor, uri, reply)) => {
            let reply = details::object(&reply);
            if request.contains_key("dry_run") {
                return Ok(Outcome::Planned { replaces: details::texts(&reply, "replaces") });
            }
            let codes = details::texts(&reply, "recovery_codes");
            let [expires, usable_from] =
                ["expires", "usable_from"].map(|key| details::number(&reply, key));
            Ok(Outcome::Enrolled { factor, uri: Zeroizing::new(uri), codes, expires, usable_from })
        }
        Err(DaemonError::AlreadyEnrolled(_)) if request.contains_key("if_unenrolled") => {
            Ok(Outcome::Unchanged)
        }
        Err(DaemonError::AlreadyEnrolled(reason)) => Ok(Outcome::Failed(reason)),
        Err(error) => line_failure(error),
    }
}

/// Verifies the pending factors, each by its id. Creates recovery codes if there is a sheet to
/// print them on. A factor that was replaced in the meantime fails its line.
pub(super) async fn verify(
    totpd: &ManagerProxy<'static>,
    timeout: Duration,
    entries: &mut [Entry],
    codes: bool,
    if_unenrolled: bool,
) -> Result<(), Error> {
    let mut started = Vec::with_capacity(entries.len());
    for Entry { user, outcome, .. } in entries {
        let Outcome::Enrolled { factor, expires: Some(_), .. } = outcome else { continue };
        let request = verification::request(factor, codes, if_unenrolled);
        let (totpd, user) = (totpd.clone(), user.clone());
        let work = async move { with_timeout(timeout, totpd.enroll(&user, &request)).await };
        started.push((outcome, tokio::task::spawn_local(work)));
    }
    for (outcome, work) in started {
        let reply = work.await.map_err(|error| Error::refused(error.to_string()))?;
        match reply? {
            Ok((_, _, reply)) => {
                if let Outcome::Enrolled { codes, expires, usable_from, .. } = outcome {
                    let reply = details::object(&reply);
                    *codes = details::texts(&reply, "recovery_codes");
                    *usable_from = details::number(&reply, "usable_from");
                    *expires = None;
                }
            }
            Err(DaemonError::NotEnrolled(reason) | DaemonError::AlreadyEnrolled(reason)) => {
                *outcome = Outcome::Failed(format!("the factor is not verified: {reason}"));
            }
            Err(error) => *outcome = line_failure(error)?,
        }
    }
    Ok(())
}

/// Returns the outcome if the error concerns only this line.
fn line_failure(error: DaemonError) -> Result<Outcome, Error> {
    match error {
        DaemonError::NoSuchUser(reason)
        | DaemonError::InvalidArgument(reason)
        | DaemonError::StoreCorrupt(reason) => Ok(Outcome::Failed(reason)),
        other => Err(other.into()),
    }
}
