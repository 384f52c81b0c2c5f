//! The services that let nobody in.

use super::population::{OtherWays, WithoutFactor};
use crate::findings::finding::{Finding, FindingId};
use crate::findings::users::admission::Admission;
use crate::findings::users::asking::Asking;
use crate::pam::unenrolled_users::Unenrolled;
use crate::terminal::output;

/// Reports whether a service lets nobody in. Before anybody has a valid factor, users with a locked
/// password count too: the code was turned on too early.
pub(super) fn is_closed(
    asking: &Asking,
    users: &WithoutFactor,
    other_ways: &OtherWays<'_>,
) -> bool {
    let is_too_early = users.enrolled_anywhere == 0
        && asking.unenrolled == Unenrolled::Denied
        && !users.names.is_empty();
    let has_other_way = || (other_ways.has_one)(&asking.service);
    (is_too_early && !has_other_way()) || users.admission(asking).lets_nobody_in(&has_other_way)
}

/// Returns the problems that these services let nobody in. Services of which the same is true share
/// one.
pub(super) fn nobody_enrolled(closed: &[&Asking], users: &WithoutFactor) -> Vec<Finding> {
    let mut groups: Vec<(Vec<&str>, Admission)> = Vec::new();
    for asking in closed {
        let admission = users.admission(asking);
        // Where nobody has a factor, all count, also those whose password is locked.
        let is_alike = |other: &Admission| users.holders.is_empty() || *other == admission;
        match groups.iter_mut().find(|(_, other)| is_alike(other)) {
            Some((group, _)) => group.push(&asking.service),
            None => groups.push((vec![&asking.service], admission)),
        }
    }
    groups.into_iter().map(|(services, admission)| finding(&services, &admission, users)).collect()
}

fn finding(services: &[&str], admission: &Admission, users: &WithoutFactor) -> Finding {
    let services = services.join(", ");
    if users.holders.is_empty() {
        let message = format!(
            "users without a factor, who cannot log in ({services}): {}; no user is enrolled",
            output::names(&users.names)
        );
        return Finding::new(FindingId::NobodyEnrolled, message).fix("run totpctl enroll USER");
    }
    let message = format!("nobody can log in with a code ({services}): {}", because(admission));
    Finding::new(FindingId::NobodyEnrolled, message).fix(admission.advice())
}

/// Returns why nobody gets in: who has a factor, with the reasons, and who is denied.
pub(crate) fn because(admission: &Admission) -> String {
    let enrolled = output::names(&admission.reasons());
    match admission.denied.as_slice() {
        [] => format!("enrolled are {enrolled}"),
        denied => format!("enrolled are {enrolled}, without a factor {}", output::names(denied)),
    }
}
