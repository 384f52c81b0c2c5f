//! `totpctl seal-key`: seals the store under a key that only the TPM of this machine can unseal.

use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::json as object;
use zeroize::Zeroizing;

use crate::client::Client;
use crate::client::details;
use crate::commands::damaged_records::check_damaged;
use crate::error::Error;
use crate::pam::atomic_file::{remove, sync_folder};
use crate::program;
use crate::terminal::output;

/// Seals the store under a new key that the TPM seals. `pcrs`: the registers that the key depends
/// on.
pub(super) fn seal(pcrs: &str, json: bool) -> Result<(), Error> {
    require_systemd()?;
    if let Some(path) = [KEY, OLD].map(credential).into_iter().find(|path| path.exists()) {
        return Err(Error::refused(format!(
            "not changed: the key is sealed already ({} exists); \"totpctl seal-key --undo\" returns to a key in a \
             file",
            path.display()
        )));
    }
    let key = random_key()?;
    let sealed = encrypt(KEY, pcrs, &key)?;
    // Check that the TPM can unseal the key before anything depends on it.
    if *decrypt(KEY, &sealed)? != *key {
        return Err(Error::refused("not changed: the TPM returned a different key; check the TPM"));
    }
    if let Err(error) = install_credential(KEY, &sealed) {
        // No record is sealed under it yet.
        remove_credentials()?;
        return Err(Error::refused(format!("not changed: {error}")));
    }
    let Rekeyed { records, id, fingerprint, damaged } = rekey()?;
    if json {
        return output::json(
            &object!({ "key": id, "records": records, "fingerprint": fingerprint, "sealed_by": "tpm2" }),
        );
    }
    output::note(&format!(
        "{} sealed under the key {id}, which only the TPM of this machine can unseal.\n\
         Backups have the new fingerprint {fingerprint} from now on.\n\
         If the TPM is cleared or replaced, the store is lost: create a backup now (totpctl backup).",
        output::count(records, "record")
    ));
    damaged
}

/// Returns to a key in a file.
pub(super) fn undo(json: bool) -> Result<(), Error> {
    require_systemd()?;
    // The daemon needs this key, under the name of the old one, until every record has the new key.
    if let Some(sealed) = read(KEY)? {
        let key = decrypt(KEY, &sealed)?;
        install_credential(OLD, &encrypt(OLD, UNUSED_PCR, &key)?)?;
    } else if let Some(sealed) = read(OLD)? {
        // Continue an interrupted undo.
        install_credential(OLD, &sealed)?;
    } else {
        return Err(Error::refused(
            "not changed: no TPM seals the key, so there is nothing to undo",
        ));
    }
    let Rekeyed { records, id, fingerprint, damaged } = rekey()?;
    remove_credentials()?;
    if json {
        return output::json(
            &object!({ "key": id, "records": records, "fingerprint": fingerprint, "sealed_by": null }),
        );
    }
    output::note(&format!(
        "{} sealed under the key {id} in /var/lib/totpd/store.key.\n\
         Backups have the new fingerprint {fingerprint} from now on.",
        output::count(records, "record")
    ));
    damaged
}

fn require_systemd() -> Result<(), Error> {
    if !Path::new("/run/systemd/system").is_dir() {
        return Err(Error::refused(
            "not changed: systemd has to pass the key to totpd, and this machine does not run systemd",
        ));
    }
    Ok(())
}

fn random_key() -> Result<Zeroizing<Vec<u8>>, Error> {
    let mut key = Zeroizing::new(vec![0; KEY_LENGTH]);
    let read = fs::File::open("/dev/urandom")
        .and_then(|mut file| io::Read::read_exact(&mut file, &mut key));
    read.map_err(|error| {
        Error::refused(format!("not changed: cannot read /dev/urandom: {error}"))
    })?;
    Ok(key)
}

fn encrypt(name: &str, pcrs: &str, key: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
    let pcrs = format!("--tpm2-pcrs={pcrs}");
    creds(&["encrypt", "--with-key=tpm2", &pcrs, &format!("--name={name}"), "-", "-"], key)
}

fn decrypt(name: &str, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
    creds(&["decrypt", &format!("--name={name}"), "-", "-"], sealed)
}

/// Runs systemd-creds on `input`.
fn creds(args: &[&str], input: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
    let cannot = |reason: &dyn std::fmt::Display| {
        Error::refused(format!("not changed: cannot use the TPM (systemd-creds): {reason}"))
    };
    let mut child = program::find("systemd-creds")
        .map_err(|error| cannot(&error))?
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| cannot(&error))?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(input).map_err(|error| cannot(&error))?;
    }
    let result = child.wait_with_output().map_err(|error| cannot(&error))?;
    let output = Zeroizing::new(result.stdout);
    match result.status.success() {
        true => Ok(output),
        false => Err(cannot(&String::from_utf8_lossy(&result.stderr).trim())),
    }
}

/// Has systemd pass a key to the daemon, and restarts it.
fn install_credential(name: &str, sealed: &[u8]) -> Result<(), Error> {
    let path = credential(name);
    let text = format!("[Service]\nLoadCredentialEncrypted={name}:{}\n", path.display());
    let written = write(&path, sealed, 0o600)
        .and_then(|()| write(Path::new(DROP_IN), text.as_bytes(), 0o644));
    written.map_err(|error| {
        Error::refused(format!("cannot write {} or {DROP_IN}: {error}", path.display()))
    })?;
    restart()
}

/// Removes the credentials. No record may depend on them any more.
fn remove_credentials() -> Result<(), Error> {
    for path in [PathBuf::from(DROP_IN), credential(KEY), credential(OLD)] {
        remove(&path).map_err(|error| {
            Error::refused(format!("cannot remove {}: {error}", path.display()))
        })?;
    }
    restart()
}

fn credential(name: &str) -> PathBuf {
    Path::new(CREDENTIALS).join(name)
}

fn read(name: &str) -> Result<Option<Vec<u8>>, Error> {
    match fs::read(credential(name)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => {
            Err(Error::refused(format!("cannot read {}: {error}", credential(name).display())))
        }
        Ok(sealed) => Ok(Some(sealed)),
    }
}

fn write(path: &Path, content: &[u8], mode: u32) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("/"));
    let folder_mode = if mode == 0o600 { 0o700 } else { 0o755 };
    fs::DirBuilder::new().recursive(true).mode(folder_mode).create(folder)?;
    let new = path.with_extension("new");
    remove(&new)?;
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(mode).open(&new)?;
    file.write_all(content)?;
    file.sync_all()?;
    fs::rename(&new, path)?;
    sync_folder(path)
}

fn restart() -> Result<(), Error> {
    for args in [&["daemon-reload"][..], &["restart", "totpd.service"]] {
        let result =
            program::find("systemctl").and_then(|mut systemctl| systemctl.args(args).output());
        let result =
            result.map_err(|error| Error::refused(format!("cannot run systemctl: {error}")))?;
        if !result.status.success() {
            let reason = String::from_utf8_lossy(&result.stderr).trim().to_owned();
            return Err(Error::refused(format!("cannot restart totpd with that key: {reason}")));
        }
    }
    Ok(())
}

/// The result of a rekey.
struct Rekeyed {
    records: u64,
    /// The id of the new key.
    id: String,
    /// The fingerprint of backups from now on.
    fingerprint: String,
    damaged: Result<(), Error>,
}

/// Has the daemon seal every record under its new key. After a failure some records may have that
/// key, so both keys have to stay.
fn rekey() -> Result<Rekeyed, Error> {
    let reply = Client::connect()
        .and_then(|client| client.store("Re-sealing", async |totpd| totpd.rekey().await));
    let details = reply.map_err(|error| {
        Error::refused(format!(
            "the rekey is incomplete, and totpd keeps both keys: {error}; run \"totpctl rekey\" to finish it"
        ))
    })?;
    let details = details::object(&details);
    Ok(Rekeyed {
        records: details::number(&details, "records").unwrap_or_default(),
        id: details::text(&details, "key"),
        fingerprint: details::text(&details, "fingerprint"),
        damaged: check_damaged(
            &details,
            "cannot seal them under the new key, so they are lost; restore them from a backup",
        ),
    })
}

/// The names of the credentials for the key and for the one before.
const KEY: &str = "totpd.key";
const OLD: &str = "totpd.key.old";
/// A register that nothing extends. systemd 252 rejects an empty list.
const UNUSED_PCR: &str = "16";
const CREDENTIALS: &str = "/etc/credstore.encrypted";
const DROP_IN: &str = "/etc/systemd/system/totpd.service.d/50-seal-key.conf";
const KEY_LENGTH: usize = 32;
