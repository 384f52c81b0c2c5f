//! The two decisions: which login is noted, and which one passes.

use crate::factor::FactorId;
use crate::policy::{Limits, Subject};
use crate::record::Record;
use crate::remembered::{Bond, Clocks, Lapse, Remembered};
use crate::source::Source;
use crate::throttle::{ThrottleRules, ThrottleState};
use crate::trust::bursts::{Burst, MAX_CONNECTIONS};
use crate::verification::{Method, Verdict};

/// A login that root's program asks about, and that needs a code within limits.
#[derive(Clone, Debug)]
pub struct Asking {
    /// The uid that the user name has now.
    pub uid: u32,
    /// The source and the service.
    pub bond: Bond,
    /// The source, as the throttle counts it.
    pub source: Source,
    /// The limits of the rules.
    pub limits: Limits,
    /// The present.
    pub clocks: Clocks,
}

/// Why a login needs no code.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Pass {
    /// An earlier login is remembered.
    Remembered {
        /// The end of that, in seconds since 1970.
        until: u64,
    },
    /// An earlier login opened a burst.
    Burst {
        /// The end of that, in seconds since 1970.
        until: u64,
        /// The connections that it still opens, with this one.
        left: u8,
    },
}

/// Notes a login that had this verdict, if the limits say so. Returns the burst that it opens.
///
/// Only a right code of a factor counts. A recovery code stands for a phone that is lost or stolen,
/// so each login by one shows one.
#[must_use]
pub fn grant(record: &mut Record, verdict: &Verdict, asking: &Asking) -> Option<Burst> {
    let Verdict::Approved { factor: Some(factor), method, .. } = verdict else { return None };
    if *method == Method::Recovery || !can_be_remembered(asking) {
        return None;
    }
    let Asking { bond, limits, clocks, .. } = asking;
    if let Some(time) = limits.remember {
        let lapse = Lapse::begin(clocks, time.seconds());
        let login = Remembered { bond: bond.clone(), factor: factor.clone(), lapse };
        record.trust.remember(login, clocks);
    }
    limits.burst.map(|time| Burst {
        bond: bond.clone(),
        factor: factor.clone(),
        lapse: Lapse::begin(clocks, time.seconds()),
        left: MAX_CONNECTIONS,
        endings: record.trust.endings(),
    })
}

/// Returns why a login needs no code, if it needs none. `burst` is the one in memory of this user
/// and bond. The login changes nothing but the count of that burst.
///
/// The factor must be good for such a login now, so whatever ends the factor ends this. A source
/// that has to wait after wrong codes gives a code.
#[must_use]
pub fn judge<S>(
    record: &mut Record<S>,
    burst: Option<&Burst>,
    asking: &Asking,
    rules: &ThrottleRules,
) -> Option<Pass> {
    let Asking { uid, bond, source, limits, clocks } = asking;
    if !can_be_remembered(asking)
        || !record.belongs_to(*uid)
        || record.throttle.state(source, clocks.now, rules) != ThrottleState::Open
    {
        return None;
    }
    let until = |left: u64| clocks.now.saturating_add(left);
    if let (Some(time), Some(login)) = (limits.remember, record.trust.find(bond))
        && is_good(record, &login.factor, asking)
        && let Some(left) = login.lapse.left(clocks, time.seconds())
    {
        return Some(Pass::Remembered { until: until(left) });
    }
    let (time, burst) = (limits.burst?, burst?);
    let is_this = burst.bond == *bond && burst.endings == record.trust.endings();
    if !is_this || burst.left == 0 || !is_good(record, &burst.factor, asking) {
        return None;
    }
    let left = burst.lapse.left(clocks, time.seconds())?;
    Some(Pass::Burst { until: until(left), left: burst.left })
}

/// Reports whether the limits leave room for it. A code that is to be a fresh one does not, and a
/// code of another user than the one who logs in says nothing of that one.
fn can_be_remembered(asking: &Asking) -> bool {
    !asking.limits.fresh && asking.limits.subject == Subject::Target
}

/// Reports whether a code of the factor would be good for this login.
fn is_good<S>(record: &Record<S>, factor: &FactorId, asking: &Asking) -> bool {
    let Asking { bond, limits, clocks, .. } = asking;
    record.factors.iter().any(|known| {
        known.id == *factor
            && known.is_verified()
            && limits.methods.include(known.kind.into())
            && known.restrictions.allow(Some(&*bond.service), clocks.now)
    })
}
