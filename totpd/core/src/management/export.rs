//! The factors of a user that another program can take over.

use alloc::vec::Vec;

use crate::factor::{Factor, FactorId, Kind, Restrictions, Status};
use crate::management::decision::Refusal;
use crate::otp::time_step;
use crate::record::Record;
use crate::void_windows::{LONGEST_PERIOD, VoidWindows};

/// The factors of a user that leave, and those that stay.
#[derive(Clone, Debug)]
pub struct Export {
    /// The factors, with all codes counted as used that may have been used here.
    pub factors: Vec<Factor>,
    /// The other factors, and why they stay.
    pub left_out: Vec<(FactorId, LeftOut)>,
    /// The number of recovery codes. They are hashes, so no other program can take them over.
    pub recovery_codes: usize,
}

/// The reason why a factor stays.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum LeftOut {
    /// It is disabled, and another program would accept its codes.
    Disabled,
    /// It has limits, which another program does not know.
    Limited,
    /// Its first code is missing.
    Pending,
    /// Codes may be used that the record does not know.
    Unsynchronized,
}

/// Returns the factors of the account that has `uid` now, at `now` (seconds since 1970).
///
/// A code in the void windows may have been used, so it counts as used.
///
/// # Errors
/// [`Refusal::NotEnrolled`].
pub fn export(
    mut record: Record,
    uid: u32,
    voids: &VoidWindows,
    now: u64,
) -> Result<Export, Refusal> {
    if !record.is_enrolled() || !record.belongs_to(uid) {
        return Err(Refusal::NotEnrolled);
    }
    record.share_used_codes();
    let recovery_codes = record.recovery.left();
    let mut export = Export { factors: Vec::new(), left_out: Vec::new(), recovery_codes };
    for factor in record.factors {
        match why_left_out(&factor) {
            Some(reason) => export.left_out.push((factor.id, reason)),
            None => export.factors.push(with_void_codes_used(factor, voids, now)),
        }
    }
    Ok(export)
}

fn why_left_out(factor: &Factor) -> Option<LeftOut> {
    let Restrictions { purpose: _, not_before, not_after, services } = &factor.restrictions;
    match factor.status {
        Status::AwaitsLogin { .. } | Status::Unverified { .. } => Some(LeftOut::Pending),
        Status::Disabled => Some(LeftOut::Disabled),
        Status::Unsynchronized => Some(LeftOut::Unsynchronized),
        Status::Verified => {
            let is_limited = not_before.is_some() || not_after.is_some() || !services.is_empty();
            is_limited.then_some(LeftOut::Limited)
        }
    }
}

fn with_void_codes_used(mut factor: Factor, voids: &VoidWindows, now: u64) -> Factor {
    if let Kind::Totp { period } = factor.kind
        && period <= LONGEST_PERIOD
    {
        let void = voids.iter().map(|window| time_step(window.until(), period)).max();
        // A clock that once ran ahead made windows of years to come.
        let void = void.map(|step| step.min(factor.counter_limit(now)));
        factor.last_accepted = factor.last_accepted.max(void);
    }
    factor
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;
    use crate::fixtures::{enrolled, verified};
    use crate::void_windows::VoidWindow;

    const TOTP: Kind = Kind::Totp { period: 30 };

    fn used_until(record: Record, voids: &VoidWindows) -> Option<u64> {
        export(record, 1000, voids, 30_000).unwrap().factors[0].last_accepted
    }

    #[test]
    fn a_code_that_may_have_been_used_counts_as_used() {
        let used = |last| Record { factors: vec![verified(TOTP, last)], ..Record::new(1000) };
        let mut voids = VoidWindows::NONE;
        assert_eq!(used_until(used(Some(990)), &voids), Some(990));
        assert_eq!(used_until(used(None), &voids), None);
        voids.add(VoidWindow::new(29_900, 29_970));
        assert_eq!(used_until(used(Some(990)), &voids), Some(999));
        assert_eq!(used_until(used(Some(1001)), &voids), Some(1001));
        voids.add(VoidWindow::new(9_000_000, 9_000_030));
        let limit = verified(TOTP, None).counter_limit(30_000);
        assert_eq!(used_until(used(None), &voids), Some(limit), "not for years");
    }

    #[test]
    fn factors_of_one_seed_leave_with_all_their_used_codes() {
        let mut other = verified(TOTP, Some(1000));
        other.id = FactorId::from_random([9; 5]);
        let factors = vec![verified(TOTP, Some(990)), other];
        let record = Record { factors, ..Record::new(1000) };
        assert_eq!(used_until(record, &VoidWindows::NONE), Some(1000));
    }

    #[test]
    fn what_is_not_good_everywhere_stays() {
        let limits = Restrictions { services: vec!["sudo".into()], ..Restrictions::default() };
        let status = |status| Factor { status, ..verified(TOTP, None) };
        for (factor, reason) in [
            (status(Status::Disabled), LeftOut::Disabled),
            (status(Status::Unsynchronized), LeftOut::Unsynchronized),
            (status(Status::Unverified { expires: 9, wrong_codes: 0 }), LeftOut::Pending),
            (Factor { restrictions: limits, ..verified(TOTP, None) }, LeftOut::Limited),
        ] {
            let id = factor.id.clone();
            let mut record = enrolled(1000);
            record.factors.push(factor);
            let left = export(record, 1000, &VoidWindows::NONE, 30_000).unwrap();
            assert_eq!((left.factors.len(), left.left_out), (1, vec![(id, reason)]));
        }
    }

    #[test]
    fn another_account_of_the_name_has_nothing_to_export() {
        for record in [enrolled(1001), Record::new(1000)] {
            let refusal = export(record, 1000, &VoidWindows::NONE, 30_000).unwrap_err();
            assert_eq!(refusal, Refusal::NotEnrolled);
        }
    }
}
