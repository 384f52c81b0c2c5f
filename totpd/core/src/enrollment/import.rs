//! Factors that come over from another program. Their users confirmed them there, and root vouches
//! for it: docs/decisions/0036-an-imported-factor-was-confirmed-elsewhere.md.

use alloc::vec::Vec;

use crate::enrollment::expiry::expire;
use crate::enrollment::refusal::Refusal;
use crate::enrollment::rules::EnrollmentRules;
use crate::factor::{Drift, Factor, FactorId};
use crate::otp::time_step;
use crate::record::Record;
use crate::recovery_codes::RecoveryCodes;

/// What another program knew of the codes of a factor.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Elsewhere {
    /// The greatest time step or counter that it accepted.
    pub last_accepted: Option<u64>,
    /// True if it remembers every code that it accepted.
    pub is_recorded: bool,
    /// The time steps that the clock of the token is ahead; negative if it is behind.
    pub drift: i16,
    /// The time steps after the present one that it accepts, if it stays in use.
    pub in_use: Option<u64>,
}

impl Elsewhere {
    /// Gives `factor` what the other program knew, at `now` (seconds since 1970). `skew` is the
    /// number of time steps accepted here on either side of the present one.
    ///
    /// All codes count as used that the other program may have accepted.
    #[must_use]
    pub fn apply(&self, mut factor: Factor, now: u64, skew: u64) -> Factor {
        factor.drift = Drift::from_steps(self.drift);
        factor.is_imported = !self.is_recorded || self.in_use.is_some();
        // A clock of the other program that ran ahead shuts nobody out for years.
        let known = self.last_accepted.map(|last| last.min(factor.counter_limit(now)));
        let mut last = factor.last_accepted.max(known);
        if let Some(period) = factor.kind.period() {
            let present = factor.drift.apply(time_step(now, period));
            let window = self.in_use.into_iter().chain((!self.is_recorded).then_some(skew));
            last = last.max(window.max().map(|ahead| present.saturating_add(ahead)));
        }
        factor.last_accepted = last;
        factor
    }
}

/// The factors of one user, as another program had them.
#[derive(Clone, Debug)]
pub struct Import {
    /// The uid that the user has now.
    pub uid: u32,
    /// The factors, verified ones of root ([`Elsewhere::apply`]).
    pub factors: Vec<Factor>,
    /// Their scratch codes, if there are any.
    pub recovery: Option<RecoveryCodes>,
    /// True if they take the place of the factors that the user has.
    pub replace: bool,
}

/// The outcome of an import.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Imported {
    /// The factors are verified ones now, in the place of these.
    Taken(Vec<FactorId>),
    /// The user has all of them already. Nothing changed.
    Unchanged,
}

/// Takes all factors over at `now` (seconds since 1970), or none. The pending factors of the user
/// go: they were made when no code could be asked for.
pub fn import(
    record: Record,
    request: &Import,
    now: u64,
    rules: &EnrollmentRules,
) -> (Result<Imported, Refusal>, Record) {
    let record = record.for_account(request.uid, now);
    let mut after = record.clone();
    match decide(&mut after, request, now, rules) {
        Ok(imported) => (Ok(imported), after),
        Err(refusal) => (Err(refusal), record),
    }
}

fn decide(
    record: &mut Record,
    request: &Import,
    now: u64,
    rules: &EnrollmentRules,
) -> Result<Imported, Refusal> {
    expire(record, now);
    if record.is_enrolled() {
        if request.factors.iter().all(|new| has(record, new)) {
            return Ok(Imported::Unchanged);
        }
        if !request.replace {
            return Err(Refusal::AlreadyEnrolled);
        }
    }
    if request.factors.len() > rules.max_factors {
        return Err(Refusal::TooManyFactors);
    }
    let replaced = record.factors.iter().filter(|old| !old.is_pending());
    let replaced = replaced.map(|old| old.id.clone()).collect();
    record.retire(now, |_| false);
    for factor in &request.factors {
        if record.has_seed_of(factor) {
            return Err(Refusal::SameSeed);
        }
        record.factors.push(factor.clone());
    }
    record.share_used_codes();
    if let Some(codes) = &request.recovery {
        record.recovery = codes.clone();
    }
    Ok(Imported::Taken(replaced))
}

/// Reports whether the user has this factor, confirmed, with all parameters of its codes.
fn has(record: &Record, new: &Factor) -> bool {
    record.factors.iter().any(|old| {
        !old.is_pending()
            && old.seed.is(&new.seed)
            && old.kind == new.kind
            && old.algorithm == new.algorithm
            && old.digits == new.digits
    })
}
