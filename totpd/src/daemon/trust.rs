//! Which logins need no code because the daemon remembers an earlier one.

use totpd_core::account::Account;
use totpd_core::management;
use totpd_core::policy::{Place, Requirement};
use totpd_core::record::Record;
use totpd_core::record_key::RecordKey;
use totpd_core::remembered::{Clocks, Remembered};
use totpd_core::source::Source;
use totpd_core::trust::{Asking, Burst, Pass, bond, judge};
use totpd_interface::Error;
use totpd_interface::login::LoginContext;

use crate::daemon::Daemon;
use crate::host::{boot, clock};

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
        let bond = bond(place, context.service.as_deref())?;
        let (uid, source) = (account.uid?, source.clone());
        Some(Asking { uid, bond, source, limits: *limits, clocks: clocks() })
    }

    /// Has a login pass that needs no code, and counts it. `record` is that of the account.
    pub(crate) fn let_by<S>(
        &self,
        key: &RecordKey,
        record: &mut Record<S>,
        asking: Option<&Asking>,
    ) -> Option<Pass> {
        let asking = asking?;
        let mut bursts = self.remembering.bursts();
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
        let bursts = self.remembering.bursts();
        let burst = bursts.find(key, &asking.bond);
        judge(record, burst, asking, &self.config.rules.throttle)
    }

    /// Opens a burst.
    pub(crate) fn open_burst(&self, key: &RecordKey, burst: Burst) {
        self.remembering.bursts().open(key, burst, &self.clocks());
    }

    /// Returns the bursts of a user that still open something.
    pub(crate) fn open_bursts<S>(&self, key: &RecordKey, record: &Record<S>) -> Vec<Burst> {
        let (endings, clocks) = (record.trust.endings(), self.clocks());
        let is_open = |burst: &&Burst| {
            let may_open = burst.left > 0 && burst.endings == endings;
            may_open && burst.lapse.left(&clocks, u64::MAX).is_some()
        };
        self.remembering.bursts().of(key).filter(is_open).cloned().collect()
    }

    /// Ends what is remembered of logins of `account`. Returns how many there were. Where there are
    /// none, nothing is written.
    ///
    /// # Errors
    /// The errors of [`Daemon::update`].
    pub(crate) async fn end_trust(&self, account: &Account) -> Result<u32, Error> {
        let Some(record) = self.read_outline(account).await? else { return Ok(0) };
        let (clocks, all) = (self.clocks(), record.trust.remembered());
        let is_going_on = |one: &&Remembered| one.lapse.left(&clocks, u64::MAX).is_some();
        let bursts = self.open_bursts(&account.key, &record).len();
        let count = all.iter().filter(is_going_on).count() + bursts;
        if count > 0 || !all.is_empty() {
            self.update(account, |record, _| ((), management::end_trust(record))).await?;
            self.close_bursts(&account.key);
        }
        Ok(u32::try_from(count).unwrap_or(u32::MAX))
    }

    /// Closes the bursts of a user. Their record says that they ended, so this frees memory.
    fn close_bursts(&self, key: &RecordKey) {
        self.remembering.bursts().close(key);
    }

    /// Closes the bursts of all users, because other records took the place of theirs.
    pub(crate) fn close_all_bursts(&self) {
        self.remembering.bursts().close_all();
    }
}
