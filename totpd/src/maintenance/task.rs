//! The tasks themselves, which run in a thread of their own.

use std::fs::File;
use std::io::BufReader;
use std::os::fd::OwnedFd;

use crate::backup::{BackupError, Head, Reader, Recipients, Writer};
use crate::clock;
use crate::enrolment;
use crate::maintenance::options::RestoreOptions;
use crate::progress::Progress;
use crate::store::local::{Checked, Local};

/// Writes all users to `target`.
pub(super) fn backup(
    local: &Local,
    progress: &Progress,
    target: OwnedFd,
    recipients: &Recipients,
    host: String,
    now: u64,
) -> Result<Checked, BackupError> {
    let head = Head { made: now, host, version: env!("CARGO_PKG_VERSION").into() };
    let mut writer = Writer::begin(File::from(target), recipients, &head)?;
    let done = local.each_user(progress, |name, record| writer.add(name, record))?;
    writer.finish()?;
    Ok(done)
}

/// What a restoration did, or would do.
pub(super) struct Restored {
    pub(super) head: Head,
    pub(super) users: u64,
    pub(super) present_users: u64,
    pub(super) resync: Vec<String>,
}

/// Puts the backup in `source` in the place of the store, unless it is a dry run.
pub(super) fn restore(
    local: &Local,
    progress: &Progress,
    source: OwnedFd,
    options: &RestoreOptions,
    skew: u64,
) -> Result<Restored, BackupError> {
    progress.begin(0);
    let mut reader = Reader::open(BufReader::new(File::from(source)), &options.opener)?;
    let present_users = local.enrolled_users()?;
    if present_users > 0 && !options.replace && !options.dry_run {
        return Err(BackupError::NotEmpty);
    }
    let mut restoring = if options.dry_run { None } else { Some(local.begin_restore()?) };
    let (mut users, mut resync) = (0, Vec::new());
    let now = clock::now();
    while let Some((name, mut record)) = reader.next_user()? {
        if enrolment::restore(&mut record, now) {
            resync.push(name.to_string());
        }
        if let Some(restoring) = &mut restoring {
            restoring.add(name, &record)?;
        }
        users += 1;
        progress.add(1);
    }
    if let Some(restoring) = restoring {
        restoring.finish(clock::now, skew)?;
    }
    Ok(Restored { head: reader.head().clone(), users, present_users, resync })
}
