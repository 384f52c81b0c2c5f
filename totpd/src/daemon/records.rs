//! The records of the store, as logins and management read and change them.

use std::sync::Arc;

use totpd_core::account::{Account, NO_UID};
use totpd_core::record::{Outline, Record};
use totpd_core::throttle::ThrottleState;
use totpd_core::trust::{Asking, grant};
use totpd_core::verification::{Attempt, Verdict, verify};
use totpd_core::void_windows::VoidWindows;
use totpd_interface::Error;
use totpd_store::{Changed, Listed, StoreError};

use crate::daemon::Daemon;

impl Daemon {
    /// Returns the record that the store has under the name of `account`. It may be the record of
    /// another account that had the name.
    ///
    /// # Errors
    /// The errors of [`Daemon::report_store_error`].
    pub(crate) async fn read(&self, account: &Account) -> Result<Option<Record>, Error> {
        self.map_store_error(self.store.read(account.key.clone()).await)
    }

    /// Returns what [`Daemon::read`] does, without the seeds. An account without a record takes the
    /// time of one that has a record.
    ///
    /// # Errors
    /// The errors of [`Daemon::report_store_error`].
    pub(crate) async fn read_outline(&self, account: &Account) -> Result<Option<Outline>, Error> {
        self.map_store_error(self.store.read_outline(account.key.clone()).await)
    }

    /// Returns `account` and its record, for a login that begins. If the record is damaged, a
    /// bucket takes the place of both.
    ///
    /// # Errors
    /// The errors of [`Daemon::report_store_error`].
    pub(crate) async fn record_for_login(
        &self,
        account: Account,
    ) -> Result<(Account, Outline), Error> {
        let (account, stored) = match self.read_outline(&account).await {
            Err(Error::StoreCorrupt(_)) => {
                let substitute = self.substitute_for_damaged(&account);
                let stored = self.read_outline(&substitute).await?;
                (substitute, stored)
            }
            stored => (account, stored?),
        };
        Ok((account, stored.unwrap_or_else(|| Record::new(NO_UID).into())))
    }

    /// Changes the record of `account` in one transaction; see [`totpd_store::Store::update`].
    /// `change` gets the void windows too, and may run more than once.
    ///
    /// # Errors
    /// [`Error::StoreUnavailable`] or [`Error::StoreCorrupt`]. Then nothing is changed.
    pub(crate) async fn update<T: Send + 'static>(
        &self,
        account: &Account,
        mut change: impl FnMut(Record, &VoidWindows) -> (T, Record) + Send + 'static,
    ) -> Result<T, Error> {
        let (key, account) = (account.key.clone(), account.clone());
        let updated = self
            .store
            .update(key, move |stored, voids| {
                let (result, record) = change(account.record(stored), voids);
                (result, Some(record))
            })
            .await;
        self.note_write(updated)
    }

    /// Judges an attempt to log in as `account` in one transaction; see
    /// [`totpd_store::Store::judge`]. Remembers the login as `asking` says. Returns the verdict and
    /// the state of the throttle after it.
    ///
    /// # Errors
    /// The errors of [`Daemon::update`].
    pub(crate) async fn judge(
        &self,
        account: &Account,
        attempt: Attempt,
        asking: Option<Asking>,
    ) -> Result<(Verdict, ThrottleState), Error> {
        let (key, account) = (account.key.clone(), account.clone());
        let rules = self.config.rules.clone();
        let judge = {
            let key = key.clone();
            move |stored, voids: &VoidWindows| {
                let record = account.record(stored);
                let (verdict, mut record) = verify(record, &attempt, &rules, voids);
                let throttle = record.throttle.state(&attempt.source, attempt.now, &rules.throttle);
                let login = verdict.leaning_login(&key, attempt.now);
                let burst = asking.as_ref().and_then(|asking| grant(&mut record, &verdict, asking));
                ((verdict, throttle, burst), Changed { record: Some(record), login })
            }
        };
        let judged = self.note_write(self.store.judge(key.clone(), judge).await);
        let (verdict, throttle, burst) = judged?;
        if let Some(burst) = burst {
            self.open_burst(&key, burst);
        }
        Ok((verdict, throttle))
    }

    /// Returns the windows of time whose codes are void.
    pub(crate) fn void_windows(&self) -> Arc<VoidWindows> {
        self.store.void_windows()
    }

    /// Notes a prompt at `now` (seconds since 1970); see [`totpd_store::Store::note_prompt`].
    pub(crate) fn note_prompt(&self, now: u64) {
        self.store.note_prompt(now);
    }

    /// Removes the record of `account`, which may be damaged.
    ///
    /// # Errors
    /// The errors of [`Daemon::report_store_error`].
    pub(crate) async fn discard(&self, account: &Account) -> Result<(), Error> {
        self.note_write(self.store.discard(account.key.clone()).await)
    }

    /// Returns at most `limit` records of users whose names come after `after`, in name order.
    ///
    /// # Errors
    /// The errors of [`Daemon::report_store_error`].
    pub(crate) async fn list(&self, after: String, limit: u32) -> Result<Vec<Listed>, Error> {
        self.map_store_error(self.store.list(after, limit).await)
    }

    /// Returns the result of a write, as the contract says it.
    fn note_write<T>(&self, written: Result<T, StoreError>) -> Result<T, Error> {
        let written = self.map_store_error(written)?;
        // A read says nothing about a full disk, so only a write ends the failure.
        if let Some(entry) = self.store_health.report_success() {
            entry.write();
        }
        Ok(written)
    }

    fn map_store_error<T>(&self, result: Result<T, StoreError>) -> Result<T, Error> {
        result.map_err(|error| self.report_store_error(&error))
    }

    /// Reports a failure of the store to the journal. Returns the part that a caller may learn:
    /// [`Error::StoreUnavailable`] or [`Error::StoreCorrupt`].
    pub(crate) fn report_store_error(&self, error: &StoreError) -> Error {
        let (entry, error_for_caller) = self.store_health.report_failure(error);
        if let Some(entry) = entry {
            // A user with a damaged record may ask about it again and again.
            self.audit.report(error.to_string(), &entry);
        }
        error_for_caller
    }
}
