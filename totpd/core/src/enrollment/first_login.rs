//! A factor that is made at a login. It becomes verified when libpam asks for the credentials of
//! that login. Libpam asks for them when the whole stack has accepted the user. Until then the
//! person who typed the first code may be a stranger. Most stacks continue after a wrong password.

use alloc::string::String;

use crate::code::Code;
use crate::enrollment::addition::{add, verify};
use crate::enrollment::confirmation::{Confirmation, try_first_code};
use crate::enrollment::expiry::{expire, has_expired};
use crate::enrollment::rules::EnrollmentRules;
use crate::factor::{Factor, FactorId, LastUse, LoginNonce, Maker, Status, TokenDigest};
use crate::moment::Moment;
use crate::record::Record;
use crate::source::Source;
use crate::throttle::ThrottleRules;

/// The outcome of the end of a login.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Completion {
    /// The user got a verified factor in between, which stays the only one.
    AlreadyEnrolled,
    /// The factor is verified already. The token was spent, by this login in another process.
    AlreadyVerified,
    /// The login took too long.
    Expired,
    /// A token that no factor waits for, or not any more.
    Unknown,
    /// The factor is verified.
    Verified,
}

/// Returns the factor that a login of the user with `uid` shows at `now` (seconds since 1970). This
/// is `new`, which a login made. If this authentication asks again, it is the same factor as
/// before. An enrolled user gets none.
///
/// Pending factors that no login made stay.
pub fn offer(
    record: Record,
    uid: u32,
    new: &Factor,
    now: u64,
    rules: &EnrollmentRules,
) -> (Option<Factor>, Record) {
    if record.is_enrolled() {
        // A factor of an earlier account of this name counts too. The name opened a door once, and
        // is no way to it now.
        return (None, record);
    }
    let mut record = record.for_account(uid, now);
    expire(&mut record, now);
    let asks_again = |old: &&Factor| old.made_by == new.made_by && old.awaits_first_code();
    if let Some(factor) = record.factors.iter().find(asks_again).cloned() {
        return (Some(factor), record);
    }
    if let Some(id) = excess(&record) {
        record.retire(now, |old| old.id != id);
    }
    let added = add(&mut record, new.clone(), now, rules);
    (added.is_ok().then(|| new.clone()), record)
}

/// Returns the factor that makes room for one more. This is the oldest without a right code, or
/// else the oldest.
fn excess(record: &Record) -> Option<FactorId> {
    let at_login =
        |factor: &&Factor| factor.is_pending() && matches!(factor.made_by, Maker::Login(_));
    let pending = || record.factors.iter().filter(at_login);
    if pending().count() < MAX_PENDING {
        return None;
    }
    let unproven = pending().find(|factor| factor.awaits_first_code());
    unproven.or_else(|| pending().next()).map(|factor| factor.id.clone())
}

/// Judges the first code of the factor `id` at `now` (seconds since 1970), outside of the void
/// windows. The login of `nonce` was shown the factor, for the account of `uid`. A right code is
/// used up, and the factor then waits for the token.
///
/// # Errors
/// Any other outcome; never [`Confirmation::Verified`].
pub fn prove(
    record: &mut Record,
    (nonce, uid): (LoginNonce, u32),
    id: &str,
    code: &Code,
    token: TokenDigest,
    time: Moment<'_>,
    rules: &EnrollmentRules,
) -> Result<(), Confirmation> {
    let now = time.now;
    if !record.belongs_to(uid) || record.is_enrolled() {
        return Err(Confirmation::NotPending);
    }
    let of_login = (Maker::Login(nonce), id);
    let counter = try_first_code(record, of_login, code, time, rules, MAX_WRONG)?;
    for factor in record.factors.iter_mut().filter(|factor| factor.id.as_str() == id) {
        factor.note_use(counter, now);
        factor.status = Status::AwaitsLogin { expires: now.saturating_add(TOKEN_LIFETIME), token };
    }
    Ok(())
}

/// The end of a login, as its program tells it.
#[derive(Clone, Debug)]
pub struct LoginEnd {
    /// The factor that the token names.
    pub factor: FactorId,
    /// The digest of the token, for the service that asks.
    pub token: TokenDigest,
    /// True if the user that the token names logs in here, or asks here.
    pub is_of_user: bool,
    /// The uid that the name of this user has now.
    pub uid: u32,
    /// The PAM service that asks; `None` if the program does not name it.
    pub service: Option<String>,
    /// The origin of the login.
    pub source: Source,
}

/// Ends a login at which a factor was made, at `now` (seconds since 1970). The factor becomes
/// verified if it waits for the token of this login. Then it was a login with a right code.
///
/// A program may try several users in one handle of libpam, so a token may come with the login of
/// another user.
#[must_use]
pub fn complete_login(
    mut record: Record,
    end: &LoginEnd,
    now: u64,
    rules: &EnrollmentRules,
    throttle: &ThrottleRules,
) -> (Completion, Record) {
    if !end.is_of_user || !record.belongs_to(end.uid) {
        return (Completion::Unknown, record);
    }
    let completion = complete(&mut record, &end.factor, &end.token, now, rules);
    if completion == Completion::Verified {
        let place = (end.service.as_deref(), &end.source);
        note_first_login(&mut record, &end.factor, place, now, throttle);
        record.trust.end();
    }
    (completion, record)
}

/// Makes the factor `id` good at `now` (seconds since 1970), if it waits for the token of this
/// digest.
pub(super) fn complete(
    record: &mut Record,
    id: &FactorId,
    token: &TokenDigest,
    now: u64,
    rules: &EnrollmentRules,
) -> Completion {
    let Some(factor) = record.factors.iter().find(|factor| factor.id == *id) else {
        return Completion::Unknown;
    };
    let Status::AwaitsLogin { expires, token: expected } = factor.status else {
        return match factor.status {
            Status::Verified => Completion::AlreadyVerified,
            _ => Completion::Unknown,
        };
    };
    if !expected.is(token) {
        return Completion::Unknown;
    }
    let has_expired = has_expired(factor, expires, now);
    if has_expired || record.is_enrolled() {
        record.retire(now, |factor| factor.id != *id);
        return if has_expired { Completion::Expired } else { Completion::AlreadyEnrolled };
    }
    verify(record, id, now, rules).map_or(Completion::Unknown, |()| Completion::Verified)
}

/// Notes the login that verified the factor `id`, from `source` by `service` at `now` (seconds
/// since 1970): it was a login with a right code.
fn note_first_login(
    record: &mut Record,
    id: &FactorId,
    (service, source): (Option<&str>, &Source),
    now: u64,
    rules: &ThrottleRules,
) {
    for factor in record.factors.iter_mut().filter(|factor| factor.id == *id) {
        factor.last_used = Some(now);
        factor.last_place = Some(LastUse::new(service, source));
    }
    record.throttle.succeed(source, now, rules);
}

/// Wrong first codes in one authentication.
const MAX_WRONG: u32 = 3;
/// Seconds from the right first code to the end of the login.
const TOKEN_LIFETIME: u64 = 180;
/// Factors of one user that logins made and that are pending: who only looks must not fill the
/// store.
const MAX_PENDING: usize = 16;
