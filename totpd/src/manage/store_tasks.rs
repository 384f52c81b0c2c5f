//! The tasks on the store, which run in a thread of their own.

use std::fs::File;
use std::io::BufReader;
use std::os::fd::OwnedFd;

use data_encoding::HEXLOWER;
use totpd_core::restoration;
use totpd_journal::{Entry, Priority};
use totpd_store::backup::{
    BackupError, Fingerprint, Head, Reader, Recipients, Signer, Untrusted, Writer, may_be_restored,
};
use totpd_store::progress::Progress;
use totpd_store::sqlite::{Local, ScanReport};

use crate::host::clock;
use crate::manage::store_options::RestoreOptions;

/// The result of a backup.
pub(crate) struct BackedUp {
    pub(crate) checked: ScanReport,
    /// The fingerprint of the signer.
    pub(crate) fingerprint: Fingerprint,
}

/// Writes all users to `target`.
pub(crate) fn backup(
    local: &Local,
    progress: &Progress,
    target: OwnedFd,
    recipients: &Recipients,
    host: String,
    now: u64,
) -> Result<BackedUp, BackupError> {
    let head = Head { created: now, host, version: env!("CARGO_PKG_VERSION").into() };
    let mut writer = Writer::begin(File::from(target), recipients, &head)?;
    let checked = local.each_user(progress, |name, record| writer.add(name, record))?;
    let key = local.signing_key();
    writer.finish(&key)?;
    // The daemon makes a backup even if the disk takes no write.
    if let Err(error) = local.note_backup(now) {
        let message = format!("the store cannot remember the time of its newest backup: {error}");
        Entry::new(Priority::Warning, message).write();
    }
    Ok(BackedUp { checked, fingerprint: key.public().fingerprint() })
}

/// The result of a restoration, or of a dry run.
pub(crate) struct Restored {
    pub(crate) head: Head,
    pub(crate) signer: Signer,
    /// The reason why the daemon would refuse the backup. Only a dry run has it.
    pub(crate) refusal: Option<Untrusted>,
    /// The time of the newest backup that the store knew of, in seconds since 1970.
    pub(crate) newest_backup: Option<u64>,
    /// The time from which codes of an app are good again, in seconds since 1970. A dry run has
    /// none.
    pub(crate) usable_from: Option<u64>,
    /// The digest of all that the backup holds, in lower-case hex.
    pub(crate) digest: String,
    pub(crate) users: u64,
    pub(crate) current_users: u64,
    pub(crate) resync: Vec<String>,
}

/// Replaces the store by the backup in `source`, unless it is a dry run.
pub(crate) fn restore(
    local: &Local,
    progress: &Progress,
    source: OwnedFd,
    options: &RestoreOptions,
    skew: u64,
) -> Result<Restored, BackupError> {
    progress.begin(0);
    let mut reader = Reader::open(BufReader::new(File::from(source)), &options.opener)?;
    let current_users = local.enrolled_users()?;
    if current_users > 0 && !options.replace && !options.dry_run {
        return Err(BackupError::NotEmpty);
    }
    let known = local.known_backups()?;
    let mut restoring = if options.dry_run { None } else { Some(local.begin_restore()?) };
    let (mut users, mut resync) = (0, Vec::new());
    let now = clock::now();
    while let Some((name, mut record)) = reader.next_user()? {
        if restoration::restore(&mut record, now) {
            resync.push(name.to_string());
        }
        if let Some(restoring) = &mut restoring {
            restoring.add(name, &record)?;
        }
        users += 1;
        progress.add(1);
    }
    // The signer of the backup is known only at its end.
    let signer = known.signer(reader.signed_by());
    let trusted = may_be_restored(signer, options.opener.kind(), options.trust);
    let digest = HEXLOWER.encode(&reader.digest());
    let mut usable_from = None;
    if let Some(restoring) = restoring {
        trusted?;
        if options.digest.as_ref().is_some_and(|shown| *shown != digest) {
            return Err(BackupError::Changed);
        }
        let report = restoring.finish(reader.head().created, now, clock::now, skew)?;
        usable_from = Some(restoration::usable_from(report.floor));
    }
    Ok(Restored {
        head: reader.head().clone(),
        signer,
        refusal: trusted.err(),
        // A clock that ran ahead made no backup.
        newest_backup: known.newest.filter(|newest| *newest <= now),
        digest,
        usable_from,
        users,
        current_users,
        resync,
    })
}
