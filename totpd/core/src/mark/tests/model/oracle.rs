//! What must hold, whatever happens.

use std::collections::{BTreeMap, BTreeSet};
use std::format;
use std::string::String;

use crate::factor::{Factor, Kind};
use crate::mark::tests::model::users::{Key, factor_of};
use crate::otp::time_step;
use crate::record::Record;

#[derive(Default)]
pub(super) struct Oracle {
    /// All that was accepted, and answered.
    used: BTreeSet<(Key, u64)>,
    /// The greatest counter that may be used up, answered or not.
    touched: BTreeMap<Key, u64>,
    /// The position of the last approval, and the wrong codes after it that were answered.
    wrong: BTreeMap<usize, (u64, u32)>,
    /// The drift after the last code that was answered, and the position of that commit.
    drift: BTreeMap<Key, (u64, Option<i16>)>,
    /// True if a failure may have made a window that nobody needs.
    pub(super) is_tainted: bool,
}

impl Oracle {
    /// Reports whether a code of `factor` must be accepted, if it is not void.
    pub(super) fn is_good(
        &self,
        key: Key,
        factor: &Factor,
        counter: u64,
        now: u64,
        skew: u64,
    ) -> bool {
        let is_unused = self.touched.get(&key).is_none_or(|last| *last < counter)
            && factor.last_accepted.is_none_or(|last| last < counter);
        let is_near = match factor.kind {
            Kind::Hotp => counter <= factor.last_accepted.unwrap_or(0) + 10,
            Kind::Totp { period } => {
                factor.drift.apply(time_step(now, period)).abs_diff(counter) <= skew
            }
        };
        factor.is_verified() && is_unused && is_near
    }

    /// Notes the commit of an approval.
    pub(super) fn touch(&mut self, key: Key, counter: u64, position: u64) {
        let last = self.touched.entry(key).or_default();
        *last = counter.max(*last);
        self.drift.insert(key, (position, None));
        self.wrong.insert(key.0, (position, 0));
    }

    /// Notes the answer "yes".
    pub(super) fn accept(&mut self, key: Key, counter: u64) -> Result<(), String> {
        match self.used.insert((key, counter)) {
            true => Ok(()),
            false => Err(format!("{counter} of {key:?} is accepted twice")),
        }
    }

    /// Notes the drift that the answer stands for.
    pub(super) fn learn(&mut self, key: Key, position: u64, steps: i16) {
        if let Some((at, known)) = self.drift.get_mut(&key)
            && *at == position
        {
            *known = Some(steps);
        }
    }

    /// Notes the answer to a wrong code that was counted at `position`.
    pub(super) fn count(&mut self, user: usize, position: u64) {
        let (approved, wrong) = self.wrong.entry(user).or_default();
        *wrong += u32::from(*approved < position);
    }

    pub(super) fn forget_drift(&mut self, key: Key) {
        self.drift.remove(&key);
    }

    /// Notes what a restoration leaves.
    pub(super) fn restored(&mut self, records: &[Record]) {
        (self.wrong, self.drift) = Default::default();
        for (user, record) in records.iter().enumerate() {
            for (seed, factor) in record.factors.iter().map(|factor| (seed_of(factor), factor)) {
                if let Some(last) = factor.last_accepted {
                    let touched = self.touched.entry((user, seed)).or_default();
                    *touched = last.max(*touched);
                }
            }
        }
    }

    /// Checks what the store says.
    pub(super) fn check(&self, records: &[Record]) -> Result<(), String> {
        for (user, record) in records.iter().enumerate() {
            let (known, kept) = (self.wrong.get(&user), record.throttle.unknown_sources());
            if known.is_some_and(|(_, known)| *known > kept.failures()) {
                return Err(format!("wrong codes of {user} are forgotten"));
            }
        }
        for (key, (_, known)) in &self.drift {
            let factor = records.get(key.0).and_then(|record| factor_of(record, *key));
            let (Some(steps), Some(factor)) = (known, factor) else { continue };
            if factor.drift.steps() != *steps {
                return Err(format!("the drift of {key:?} is forgotten"));
            }
        }
        Ok(())
    }
}

/// Returns the number of the seed, in the table of the host.
fn seed_of(factor: &Factor) -> usize {
    usize::from(factor.seed.bytes()[0]) % 10
}
