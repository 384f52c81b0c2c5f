//! The rules that the daemon judges logins by, and who is in their groups.

use std::sync::Arc;

use totpd_core::policy::{GroupName, Groups};
use totpd_core::user_name::UserName;
use totpd_store::mutex::lock;

use crate::audit::condition::Condition;
use crate::config::{Doubt, RuleSet};
use crate::daemon::Daemon;
use crate::daemon::rulebook::Rulebook;
use crate::host::clock;
use crate::host::nss::{Lane, Memberships, NssUnavailable};

impl Daemon {
    /// Returns the rules in force.
    pub(crate) fn rulebook(&self) -> Arc<Rulebook> {
        Arc::clone(&lock(&self.rulebook))
    }

    /// Puts these rules in force, in the place of those before. Logins see either all of the old
    /// ones or all of the new ones. A deadline that passed while nobody logged in counts too.
    pub(crate) fn enforce(&self, rules: RuleSet) {
        let rulebook = Rulebook::new(rules);
        self.deadlines.retry();
        self.judging_time(&rulebook);
        *lock(&self.rulebook) = Arc::new(rulebook);
    }

    /// Returns the time at which the rules judge a login now. It is never before a deadline that
    /// passed.
    pub(crate) fn judging_time(&self, rulebook: &Rulebook) -> u64 {
        self.deadlines.not_before(&rulebook.deadlines, clock::now())
    }

    /// Returns the time at which the rules would judge a login when the clock shows `time`.
    pub(crate) fn judging_time_at(&self, rulebook: &Rulebook, time: u64) -> u64 {
        self.deadlines.at(&rulebook.deadlines, time)
    }

    /// Returns which groups of the rules `user` is in, as they were a minute ago if a login asked
    /// then. What NSS does not answer is unknown. The journal says so, and the next login asks
    /// again.
    pub(crate) async fn groups(&self, lane: Lane, rulebook: &Rulebook, user: &UserName) -> Groups {
        let now = clock::monotonic_ms();
        if let Some(groups) = rulebook.recent_groups.get(user.as_str(), &(), now) {
            return groups;
        }
        let names = rulebook.policy().groups().to_vec();
        match self.nss.memberships(lane, user.clone(), names).await {
            Ok(Memberships { fits, is_whole: true }) => {
                let groups = Groups::new(fits);
                rulebook.recent_groups.keep(user.as_str(), (), now, &groups);
                groups
            }
            Ok(Memberships { fits, is_whole: false }) => {
                self.report_unknown_people();
                Groups::new(fits)
            }
            Err(NssUnavailable) => {
                self.report_unknown_people();
                Groups::UNKNOWN
            }
        }
    }

    /// Returns which of these groups `user` is in, as NSS says now. Root asks.
    ///
    /// # Errors
    /// [`NssUnavailable`] if NSS says nothing of the user, or nothing in time.
    pub(crate) async fn memberships(
        &self,
        user: UserName,
        groups: Vec<GroupName>,
    ) -> Result<Memberships, NssUnavailable> {
        self.nss.memberships(Lane::Root, user, groups).await
    }

    /// Returns what may be wrong with rules, or nothing if NSS says nothing in time.
    pub(crate) async fn doubts(&self, lane: Lane, rulebook: Arc<Rulebook>) -> Vec<Doubt> {
        self.nss.ask(lane, move || Ok(rulebook.rules.doubts())).await.unwrap_or_default()
    }

    /// Reports that rules are judged without knowing who somebody is.
    pub(crate) fn report_unknown_people(&self) {
        let message = format!(
            "{NssUnavailable}; rules that name users or groups count as strictly as they can"
        );
        self.audit.report(message.clone(), &Condition::NssUnavailable.entry(message.clone()));
    }
}
