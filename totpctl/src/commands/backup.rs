//! `totpctl backup`: copies all users into one sealed file.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use serde_json::Value;
use totpd_interface::DictBuilder;
use totpd_interface::Dictionary;
use zbus::Fd;

use crate::client::Client;
use crate::client::{details, transfer};
use crate::commands::damaged_records::check_damaged;
use crate::error::Error;
use crate::pam::atomic_file::sync_folder;
use crate::terminal::{input, output};

pub(super) fn run(file: &Path, recipients: &[String], json: bool) -> Result<(), Error> {
    let client = Client::connect()?;
    // This check comes before the user types a passphrase.
    if fs::symlink_metadata(file).is_ok() {
        return Err(file_exists(file));
    }
    let options = options(recipients)?;
    let target = create(file)?;
    let result = fill(&client, &target, file, &options).and_then(|details| {
        target
            .sync_all()
            .and_then(|()| sync_folder(file))
            .map_err(|e| unwritable_error(file, &e))?;
        Ok(details::object(&details))
    });
    // An incomplete backup is useless.
    let mut details = result.inspect_err(|_| drop(fs::remove_file(file)))?;
    let users = details::number(&details, "users").unwrap_or_default();
    let damaged = check_damaged(&details, NOT_SAVED);
    if json {
        details.insert("file".into(), file.to_string_lossy().into());
        output::json(&Value::from(details))?;
    } else {
        let fingerprint = details::text(&details, "fingerprint");
        output::note(&format!(
            "{} holds {}. This store signed it: {fingerprint}\nKeep the fingerprint apart \
             from the backup: a restore on another host asks for it.",
            file.display(),
            output::count(users, "user")
        ));
    }
    damaged
}

/// Has totpd write the backup.
fn fill(
    client: &Client,
    target: &File,
    file: &Path,
    options: &Dictionary,
) -> Result<Dictionary, Error> {
    let copy = target.try_clone().and_then(transfer::copy_from_daemon);
    let (end, transfer) = copy.map_err(|error| unwritable_error(file, &error))?;
    let reply = client.store("Backing up", async |totpd| {
        totpd.backup(Fd::from(OwnedFd::from(end)), options).await
    });
    match reply {
        Ok(details) => {
            transfer.end().map_err(|error| unwritable_error(file, &error))?;
            Ok(details)
        }
        Err(error) => Err(transfer.failure().map_or(error, |error| unwritable_error(file, &error))),
    }
}

fn options(recipients: &[String]) -> Result<Dictionary, Error> {
    let options = if recipients.is_empty() {
        let passphrase = input::passphrase("Passphrase for the backup: ", true)?;
        DictBuilder::new().with("passphrase", passphrase.as_str())
    } else {
        DictBuilder::new().with("recipients", recipients.to_vec())
    };
    Ok(options.into())
}

/// Creates a file that only its owner can read. Never overwrites a file or follows a link.
fn create(file: &Path) -> Result<File, Error> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(file).map_err(|error| {
        match error.kind() {
            io::ErrorKind::AlreadyExists => file_exists(file),
            _ => unwritable_error(file, &error),
        }
    })
}

fn file_exists(file: &Path) -> Error {
    Error::refused(format!("{} exists already; name a new file", file.display()))
}

fn unwritable_error(file: &Path, error: &io::Error) -> Error {
    Error::refused(format!("cannot write {}: {error}", file.display()))
}
const NOT_SAVED: &str = "the users named above are not in the backup; run totpctl remove USER for each, and enroll \
                         them again";
