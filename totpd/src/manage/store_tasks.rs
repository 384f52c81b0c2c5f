//! The tasks themselves, which run in a thread of their own.

use std::fs::File;
use std::io::BufReader;
use std::os::fd::OwnedFd;

use data_encoding::HEXLOWER;
use totpd_core::enrollment;
use totpd_journal::{Entry, Priority};
use totpd_store::backup::{
    BackupError, Fingerprint, Head, Reader, Recipients, Signer, Untrusted, Writer, may_be_restored,
};
use totpd_store::progress::Progress;
use totpd_store::sqlite::{Local, ScanReport};

use crate::host::clock;
use crate::manage::store_options::RestoreOptions;

/// What came of a backup.
pub(crate) struct BackedUp {
    pub(crate) checked: ScanReport,
    /// Who signed it.
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
    // A disk that takes no write is no reason to be without a backup.
    if let Err(why) = local.note_backup(now) {
        let message = format!("the store cannot remember the time of its newest backup: {why}");
        Entry::new(Priority::Warning, message).write();
    }
    Ok(BackedUp { checked, fingerprint: key.public().fingerprint() })
}

/// What a restoration did, or would do.
pub(crate) struct Restored {
    pub(crate) head: Head,
    pub(crate) signer: Signer,
    /// Why it would be refused; of a dry run alone.
    pub(crate) refusal: Option<Untrusted>,
    /// When the newest backup was made that the store knew of, in seconds since 1970.
    pub(crate) newest_backup: Option<u64>,
    /// When codes of an app are good again, in seconds since 1970; not of a dry run.
    pub(crate) usable_from: Option<u64>,
    /// Of all that it holds, in lower-case hex.
    pub(crate) digest: String,
    pub(crate) users: u64,
    pub(crate) current_users: u64,
    pub(crate) resync: Vec<String>,
}

/// Puts the backup in `source` in the place of the store, unless it is a dry run.
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
        if enrollment::restore(&mut record, now) {
            resync.push(name.to_string());
        }
        if let Some(restoring) = &mut restoring {
            restoring.add(name, &record)?;
        }
        users += 1;
        progress.add(1);
    }
    // At its end only it is known who signed it.
    let signer = known.signer(reader.signed_by());
    let trusted = may_be_restored(signer, options.opener.kind(), options.trust);
    let digest = HEXLOWER.encode(&reader.digest());
    if let Some(restoring) = restoring {
        trusted?;
        if options.digest.as_ref().is_some_and(|shown| *shown != digest) {
            return Err(BackupError::Changed);
        }
        restoring.finish(reader.head().created, clock::now, skew)?;
    }
    let usable_from = (!options.dry_run).then(|| enrollment::usable_from(clock::now(), skew));
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
