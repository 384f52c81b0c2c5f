//! The interface `org.totpd.Totp1.Store`, for the tasks of an administrator on the store as a
//! whole.

use std::os::fd::OwnedFd;
use std::sync::Arc;

use totpd_core::authorization::Operation;
use totpd_interface::{DictBuilder, Dictionary, Error};
use totpd_store::backup::{BackupError, Signer, Trust};
use totpd_store::progress::Progress;
use totpd_store::sqlite::{Local, ScanReport};

use crate::access::caller::Caller;
use crate::access::origin::Origin;
use crate::audit::event::{Event, Restoration, StoreEvent};
use crate::daemon::Daemon;
use crate::daemon::store_health::report_to_root;
use crate::host::clock;
use crate::manage::store_options::{BackupOptions, RestoreOptions};
use crate::manage::store_tasks;

/// Serves `org.totpd.Totp1.Store`.
#[derive(Clone)]
pub(crate) struct StoreService {
    daemon: Arc<Daemon>,
    local: Local,
    progress: Arc<Progress>,
}

impl StoreService {
    /// Returns the service over this store.
    #[must_use]
    pub(crate) fn new(daemon: Arc<Daemon>, local: Local) -> Self {
        Self { daemon, local, progress: Arc::default() }
    }

    /// Runs a task in a thread, because it may take minutes, and logins continue.
    async fn run<T: Send + 'static>(
        &self,
        task: impl FnOnce(&Local, &Progress) -> Result<T, BackupError> + Send + 'static,
    ) -> Result<T, Error> {
        let (local, progress) = (self.local.clone(), Arc::clone(&self.progress));
        let result = tokio::task::spawn_blocking(move || task(&local, &progress)).await;
        match result {
            Ok(Ok(done)) => Ok(done),
            Ok(Err(BackupError::Store(error))) => {
                let (entry, error) = report_to_root(&error);
                entry.write();
                Err(error)
            }
            Ok(Err(error @ BackupError::NotEmpty)) => {
                Err(Error::AlreadyEnrolled(error.to_string()))
            }
            Ok(Err(error)) => Err(Error::InvalidArgument(error.to_string())),
            Err(_) => Err(Error::Internal("the task has failed; see the journal of totpd".into())),
        }
    }
}

/// The methods for root alone: backup, restore, a new key, and a look at every record. One task
/// runs at a time, and logins continue during it.
impl StoreService {
    /// Writes all users into `target`, sealed by age. The options are `passphrase` s, or
    /// `recipients` as.
    ///
    /// The details are:
    /// - `users` t.
    /// - `fingerprint` s, by which another host knows that this store signed it.
    /// - `damaged` as, `damaged_count` t. The backup leaves these out, because the daemon cannot
    ///   unseal them.
    pub(crate) async fn backup(
        &self,
        origin: &Origin,
        target: OwnedFd,
        options: &Dictionary,
    ) -> Result<Dictionary, Error> {
        let caller = root(origin)?;
        let BackupOptions { recipients } = BackupOptions::parse(options)?;
        let host = self.daemon.host.clone();
        let report = self
            .run(move |local, progress| {
                store_tasks::backup(local, progress, target, &recipients, host, clock::now())
            })
            .await?;
        let (users, fingerprint) = (report.checked.records, report.fingerprint.to_string());
        self.record(caller, StoreEvent::BackedUp { users, fingerprint });
        Ok(scan_details(&report.checked, "users")
            .with("fingerprint", report.fingerprint.to_string())
            .into())
    }

    /// Replaces the store by the backup in `source`.
    ///
    /// The options are:
    /// - `passphrase` s, or `identities` as.
    /// - `replace` b, if the store has users.
    /// - `dry_run` b, which changes nothing.
    /// - `fingerprint` s, of the only store that may have signed the backup.
    /// - `unsigned` b, which accepts a backup although nobody can tell its maker.
    /// - `digest` s, of the only content that the backup may have, as a dry run returned it.
    ///
    /// Without `fingerprint` and `unsigned`, this store has to have signed a backup for recipients.
    ///
    /// The details are:
    /// - `users` t, `created` t, `host` s, `version` s, `current_users` t.
    /// - `signed_by` s: `this store`, `an earlier key of this store`, `another store` or `nobody`.
    /// - `fingerprint` s, of the signer.
    /// - `digest` s, of all that the backup holds.
    /// - `usable_from` t, the time from which codes of an app are good again.
    /// - `refusal` s, the reason why the daemon would refuse the backup (of a dry run).
    /// - `newest_backup` t, the time of the newest backup that the store knew of. It may be later
    ///   than `created`.
    /// - `resync` as, the users with tokens that count presses and need a resynchronization.
    pub(crate) async fn restore(
        &self,
        origin: &Origin,
        source: OwnedFd,
        options: &Dictionary,
    ) -> Result<Dictionary, Error> {
        let caller = root(origin)?;
        let options = RestoreOptions::parse(options)?;
        let skew = self.daemon.config.rules.skew;
        let (dry_run, accepts_unsigned) = (options.dry_run, options.trust == Trust::Anybody);
        let report = self
            .run(move |local, progress| {
                store_tasks::restore(local, progress, source, &options, skew)
            })
            .await?;
        if !dry_run {
            self.daemon.close_all_bursts();
            let restoration = Restoration {
                users: report.users,
                host: report.head.host.clone(),
                created: report.head.created,
                signed_by: signed_by(report.signer),
                fingerprint: report.signer.fingerprint().map(|fingerprint| fingerprint.to_string()),
                newer_backup: report.newest_backup.filter(|newest| report.head.created < *newest),
                accepts_unsigned,
            };
            self.record(caller, StoreEvent::Restored(restoration));
        }
        Ok(DictBuilder::new()
            .with("users", report.users)
            .with("created", report.head.created)
            .with("host", report.head.host)
            .with("version", report.head.version)
            .with("current_users", report.current_users)
            .with("signed_by", signed_by(report.signer))
            .with_some(
                "fingerprint",
                report.signer.fingerprint().map(|fingerprint| fingerprint.to_string()),
            )
            .with_some("refusal", report.refusal.map(|reason| reason.to_string()))
            .with_some("newest_backup", report.newest_backup)
            .with("digest", report.digest)
            .with_some("usable_from", report.usable_from)
            .with("resync", report.resync)
            .into())
    }

    /// Re-seals every record with a new key.
    ///
    /// The details are:
    /// - `key` s, the id of the key.
    /// - `fingerprint` s, by which other hosts know backups from now on.
    /// - `records` t, `damaged` as, `damaged_count` t.
    pub(crate) async fn rekey(&self, origin: &Origin) -> Result<Dictionary, Error> {
        let caller = root(origin)?;
        let report = self.run(|local, progress| Ok(local.rekey(progress)?)).await?;
        self.record(caller, StoreEvent::Rekeyed { key: report.key.to_string() });
        Ok(scan_details(&report.scan, "records")
            .with("key", report.key.to_string())
            .with("fingerprint", report.fingerprint.to_string())
            .into())
    }

    /// Reads and unseals every record, and changes nothing. The details are `records` t, `damaged`
    /// as (the first thousand) and `damaged_count` t.
    pub(crate) async fn verify(&self, origin: &Origin) -> Result<Dictionary, Error> {
        let caller = root(origin)?;
        let report = self.run(|local, progress| Ok(local.scan(progress)?)).await?;
        if report.damaged_count > 0 {
            self.record(caller, StoreEvent::DamageFound { records: report.damaged_count });
        }
        Ok(scan_details(&report, "records").into())
    }

    /// Returns the fingerprint by which another host knows that this store signed a backup.
    pub(crate) fn fingerprint(&self, origin: &Origin) -> Result<String, Error> {
        root(origin)?;
        Ok(self.local.signing_key().public().fingerprint().to_string())
    }

    fn record(&self, by: Caller, event: StoreEvent) {
        self.daemon.audit.record(&Event::Store(by, event));
    }

    /// Returns the number of records that the current task has processed, and their total (0: not
    /// known).
    pub(crate) fn progress(&self, origin: &Origin) -> Result<(u64, u64), Error> {
        root(origin)?;
        Ok(self.progress.now())
    }
}

/// Returns the signer of a backup, in words.
fn signed_by(signer: Signer) -> &'static str {
    match signer {
        Signer::Ours(_) => "this store",
        Signer::Earlier(_) => "an earlier key of this store",
        Signer::Stranger(_) => "another store",
        Signer::Unsigned => "nobody",
    }
}

/// Returns the caller if it is root.
fn root(origin: &Origin) -> Result<Caller, Error> {
    origin.caller.must_be_allowed(Operation::KeepStore).map(|()| origin.caller)
}

fn scan_details(scan: &ScanReport, noun: &str) -> DictBuilder {
    DictBuilder::new()
        .with(noun, scan.records)
        .with("damaged", scan.damaged.clone())
        .with("damaged_count", scan.damaged_count)
}
