//! A request for a new factor, by root, a user or a manager of users.

use alloc::string::String;

use crate::enrollment::addition::{add, verify};
use crate::enrollment::expiry::expire;
use crate::enrollment::refusal::Refusal;
use crate::enrollment::rules::EnrollmentRules;
use crate::factor::{Factor, Maker};
use crate::record::Record;

/// A request for a new factor.
#[derive(Clone, Debug)]
pub struct Request {
    /// The factor that is added. Its maker is the caller. It is pending, or verified if root says
    /// so.
    pub new: Factor,
    /// The uid that the user has now.
    pub uid: u32,
    /// A pending factor of the same maker that becomes verified without a code, instead of a new
    /// one.
    pub verify: Option<String>,
    /// True if root's own pending factor is shown again instead of a new one. That factor must have
    /// these parameters.
    pub resume: bool,
    /// True if the daemon leaves an enrolled user alone.
    pub if_unenrolled: bool,
}

/// The outcome of a request.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Enrolled {
    /// A new factor was made.
    Added,
    /// The pending one is shown again.
    Resumed,
    /// The pending one that was named is verified.
    Verified,
}

/// Judges a request at `now` (seconds since 1970). Returns the factor, and the record. The record
/// must be on disk before anybody is shown the key of the factor.
///
/// Only a factor that root made is resumed. The daemon cannot tell the programs of a user apart,
/// and a thief may run one of them. A key that this program saw must not become the factor of the
/// user.
pub fn enroll(
    record: Record,
    request: &Request,
    now: u64,
    rules: &EnrollmentRules,
) -> (Result<(Factor, Enrolled), Refusal>, Record) {
    let mut record = record.for_account(request.uid, now);
    let result = decide(&mut record, request, now, rules);
    (result, record)
}

fn decide(
    record: &mut Record,
    request: &Request,
    now: u64,
    rules: &EnrollmentRules,
) -> Result<(Factor, Enrolled), Refusal> {
    if request.if_unenrolled && record.is_enrolled() {
        return Err(Refusal::AlreadyEnrolled);
    }
    expire(record, now);
    let maker = request.new.made_by;
    let is_own = |old: &&Factor| old.awaits_first_code() && old.made_by == maker;
    let pending = || record.factors.iter().filter(is_own);
    let (factor, what) = if let Some(id) = &request.verify {
        let own = pending().find(|old| old.id.as_str() == id).ok_or(Refusal::NotPending)?;
        let id = own.id.clone();
        verify(record, &id, now, rules)?;
        (id, Enrolled::Verified)
    } else {
        let again = pending().find(|old| is_as_asked(old, &request.new)).map(|old| old.id.clone());
        match again.filter(|_| request.resume && maker == Maker::Root) {
            Some(id) => (id, Enrolled::Resumed),
            None => {
                add(record, request.new.clone(), now, rules)?;
                (request.new.id.clone(), Enrolled::Added)
            }
        }
    };
    let factor = record.factors.iter().find(|candidate| candidate.id == factor);
    factor.map(|factor| (factor.clone(), what)).ok_or(Refusal::NotPending)
}

/// Reports whether a pending factor has all requested parameters. An imported seed must be the same
/// too.
fn is_as_asked(pending: &Factor, new: &Factor) -> bool {
    let seed = if new.is_imported { pending.seed.is(&new.seed) } else { !pending.is_imported };
    seed && pending.name == new.name
        && pending.kind == new.kind
        && pending.algorithm == new.algorithm
        && pending.digits == new.digits
        && pending.restrictions == new.restrictions
}
