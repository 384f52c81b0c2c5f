//! What the daemon remembers of logins: in the records of users, and the bursts in memory.

use std::sync::Mutex;

use totpd_core::account::Account;
use totpd_core::policy::{Place, Requirement};
use totpd_core::record::Record;
use totpd_core::record_key::RecordKey;
use totpd_core::source::Source;
use totpd_core::trust::{Asking, Bond, BootId, Burst, Bursts, Clocks, Pass, judge};
use totpd_interface::login::LoginContext;
use totpd_store::mutex::lock;

use crate::daemon::Daemon;
use crate::host::{boot, clock};

/// The bursts, and the run of the host in which they are.
#[derive(Debug)]
pub(crate) struct Remembering {
    bursts: Mutex<Bursts>,
    boot: BootId,
}

/// A login of root's program. Of any other caller, nothing is believed that could be remembered.
#[derive(Clone, Copy)]
pub(crate) struct Scene<'a> {
    /// The account.
    pub(crate) account: &'a Account,
    /// The service, and what else root's program says.
    pub(crate) context: &'a LoginContext,
    /// The place.
    pub(crate) place: Place,
    /// The source, as the throttle counts it.
    pub(crate) source: &'a Source,
}

impl Remembering {
    /// Remembers nothing yet in this run of the host.
    pub(crate) fn new(boot: BootId) -> Self {
        Self { bursts: Mutex::default(), boot }
    }
}

impl Daemon {
    /// Returns the present.
    pub(crate) fn clocks(&self) -> Clocks {
        Clocks { now: clock::now(), uptime: boot::uptime(), boot: self.remembering.boot }
    }

    /// Returns the present at which the wall clock shows `time`, if nobody sets it.
    pub(crate) fn clocks_at(&self, time: u64) -> Clocks {
        let clocks = self.clocks();
        let ahead = time.saturating_sub(clocks.now);
        let behind = clocks.now.saturating_sub(time);
        let uptime = clocks.uptime.saturating_add(ahead).saturating_sub(behind);
        Clocks { now: time, uptime, ..clocks }
    }

    /// Returns what a login asks of what is remembered; `None` if its rule remembers nothing, or
    /// its source is none. A login that names a factor gives a code of that one.
    pub(crate) fn asking(
        scene: Scene<'_>,
        requirement: &Requirement<'_>,
        clocks: impl FnOnce() -> Clocks,
    ) -> Option<Asking> {
        let Requirement::Code(limits, Some(_)) = requirement else { return None };
        let remembers = limits.remember.is_some() || limits.burst.is_some();
        let Scene { account, context, place, source } = scene;
        if !remembers || context.factor.is_some() {
            return None;
        }
        let bond = Bond::of(place, context.service.as_deref())?;
        let (uid, source) = (account.uid?, source.clone());
        Some(Asking { uid, bond, source, limits: *limits, clocks: clocks() })
    }

    /// Lets by a login that needs no code, and counts it. `record` is that of the account.
    pub(crate) fn let_by<S>(
        &self,
        key: &RecordKey,
        record: &mut Record<S>,
        asking: Option<&Asking>,
    ) -> Option<Pass> {
        let asking = asking?;
        // One connection at a time looks at the count.
        let mut bursts = lock(&self.remembering.bursts);
        let burst = bursts.find(key, &asking.bond);
        let pass = judge(record, burst, asking, &self.config.rules.throttle)?;
        if matches!(pass, Pass::Burst { .. }) {
            bursts.count(key, &asking.bond);
        }
        Some(pass)
    }

    /// Returns what [`Daemon::let_by`] would, and counts nothing.
    pub(crate) fn would_let_by<S>(
        &self,
        key: &RecordKey,
        record: &mut Record<S>,
        asking: Option<&Asking>,
    ) -> Option<Pass> {
        let asking = asking?;
        let bursts = lock(&self.remembering.bursts);
        let burst = bursts.find(key, &asking.bond);
        judge(record, burst, asking, &self.config.rules.throttle)
    }

    /// Opens a burst.
    pub(crate) fn open_burst(&self, key: &RecordKey, burst: Burst) {
        lock(&self.remembering.bursts).open(key, burst, &self.clocks());
    }

    /// Returns the bursts of a user. Some may be over.
    pub(crate) fn bursts_of(&self, key: &RecordKey) -> Vec<Burst> {
        lock(&self.remembering.bursts).of(key).cloned().collect()
    }

    /// Closes the bursts of a user. Their record says that they ended, so this frees memory.
    pub(crate) fn close_bursts(&self, key: &RecordKey) {
        lock(&self.remembering.bursts).close(key);
    }

    /// Closes the bursts of all users, because other records took the place of theirs.
    pub(crate) fn close_all_bursts(&self) {
        lock(&self.remembering.bursts).close_all();
    }
}
