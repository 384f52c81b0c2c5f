//! `totpctl seal-key`: the key of the store is one that only the TPM of this machine gives.

use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::json as object;
use zeroize::Zeroizing;

use crate::client::Client;
use crate::client::details;
use crate::commands::damaged::damaged;
use crate::error::Error;
use crate::pam::atomic_file::{remove, sync_folder};
use crate::program;
use crate::terminal::output;

/// Seals the store under a new key, which the TPM keeps. `pcrs`: the registers that it depends on.
pub(super) fn seal(pcrs: &str, json: bool) -> Result<(), Error> {
    must_have_systemd()?;
    if let Some(there) = [KEY, OLD].map(credential).into_iter().find(|path| path.exists()) {
        return Err(Error::refused(format!(
            "{} is there already: the key is sealed. \"totpctl seal-key --undo\" goes back to a key in a \
             file",
            there.display()
        )));
    }
    let key = random()?;
    let sealed = encrypt(KEY, pcrs, &key)?;
    // That it can be undone is shown before anything depends on it.
    if *decrypt(KEY, &sealed)? != *key {
        return Err(Error::refused("nothing is changed: the TPM gives back another key"));
    }
    if let Err(failure) = hand_over(KEY, &sealed) {
        // No record has it yet.
        take_back()?;
        return Err(Error::refused(format!("the key is as it was: {failure}")));
    }
    let Rekeyed { records, id, fingerprint, damaged } = rekey()?;
    if json {
        return output::json(
            &object!({ "key": id, "records": records, "fingerprint": fingerprint, "sealed_by": "tpm2" }),
        );
    }
    output::note(&format!(
        "{records} records are sealed under the key {id}, which only the TPM of this machine gives.\n\
         Backups have the new fingerprint {fingerprint} from now on.\n\
         Where the TPM is cleared or replaced, the store is lost: make a backup now (totpctl backup)."
    ));
    damaged
}

/// Goes back to a key in a file.
pub(super) fn undo(json: bool) -> Result<(), Error> {
    must_have_systemd()?;
    // Until every record has another key, the daemon needs this one, by the name of an old one.
    if let Some(sealed) = read(KEY)? {
        let key = decrypt(KEY, &sealed)?;
        hand_over(OLD, &encrypt(OLD, NONE, &key)?)?;
    } else if let Some(sealed) = read(OLD)? {
        // One that was cut short.
        hand_over(OLD, &sealed)?;
    } else {
        return Err(Error::refused("the key is in no TPM: there is nothing to undo"));
    }
    let Rekeyed { records, id, fingerprint, damaged } = rekey()?;
    take_back()?;
    if json {
        return output::json(
            &object!({ "key": id, "records": records, "fingerprint": fingerprint, "sealed_by": null }),
        );
    }
    output::note(&format!(
        "{records} records are sealed under the key {id} in /var/lib/totpd/store.key.\n\
         Backups have the new fingerprint {fingerprint} from now on."
    ));
    damaged
}

fn must_have_systemd() -> Result<(), Error> {
    if !nix::unistd::geteuid().is_root() {
        return Err(Error::NotAuthorized("only root may change the key of the store".into()));
    }
    if !Path::new("/run/systemd/system").is_dir() {
        return Err(Error::refused(
            "nothing is changed: systemd gives the key, and does not run here",
        ));
    }
    Ok(())
}

fn random() -> Result<Zeroizing<Vec<u8>>, Error> {
    let mut key = Zeroizing::new(vec![0; KEY_LENGTH]);
    let read = fs::File::open("/dev/urandom")
        .and_then(|mut file| io::Read::read_exact(&mut file, &mut key));
    read.map_err(|error| Error::refused(format!("the kernel gives no random bytes: {error}")))?;
    Ok(key)
}

fn encrypt(name: &str, pcrs: &str, key: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
    let pcrs = format!("--tpm2-pcrs={pcrs}");
    creds(&["encrypt", "--with-key=tpm2", &pcrs, &format!("--name={name}"), "-", "-"], key)
}

fn decrypt(name: &str, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
    creds(&["decrypt", &format!("--name={name}"), "-", "-"], sealed)
}

/// What systemd-creds makes of `input`.
fn creds(args: &[&str], input: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
    let cannot = |why: &dyn std::fmt::Display| {
        Error::refused(format!("nothing is changed: the TPM cannot be used (systemd-creds): {why}"))
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
    let done = child.wait_with_output().map_err(|error| cannot(&error))?;
    let output = Zeroizing::new(done.stdout);
    match done.status.success() {
        true => Ok(output),
        false => Err(cannot(&String::from_utf8_lossy(&done.stderr).trim())),
    }
}

/// Has systemd give it to the daemon, which is started anew.
fn hand_over(name: &str, sealed: &[u8]) -> Result<(), Error> {
    let path = credential(name);
    let text = format!("[Service]\nLoadCredentialEncrypted={name}:{}\n", path.display());
    let written = write(&path, sealed, 0o600)
        .and_then(|()| write(Path::new(DROP_IN), text.as_bytes(), 0o644));
    written.map_err(|error| {
        Error::refused(format!("{} or {DROP_IN} cannot be written: {error}", path.display()))
    })?;
    restart()
}

/// Takes the credentials away again, which no record may need any more.
fn take_back() -> Result<(), Error> {
    for path in [PathBuf::from(DROP_IN), credential(KEY), credential(OLD)] {
        remove(&path).map_err(|error| {
            Error::refused(format!("{} cannot be removed: {error}", path.display()))
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
            Err(Error::refused(format!("{} cannot be read: {error}", credential(name).display())))
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
        let done =
            program::find("systemctl").and_then(|mut systemctl| systemctl.args(args).output());
        let done = done.map_err(|error| Error::refused(format!("systemctl: {error}")))?;
        if !done.status.success() {
            let why = String::from_utf8_lossy(&done.stderr).trim().to_owned();
            return Err(Error::refused(format!("totpd does not start with that key: {why}")));
        }
    }
    Ok(())
}

/// What became of the records.
struct Rekeyed {
    records: u64,
    /// Of the key that they have now.
    id: String,
    /// By which other hosts know backups from now on.
    fingerprint: String,
    damaged: Result<(), Error>,
}

/// Has the daemon seal every record under the key that it is given. However it ends, some records may have
/// that key then, so that nothing may be taken back.
fn rekey() -> Result<Rekeyed, Error> {
    let asked = Client::connect()
        .and_then(|client| client.store("Re-sealing", async |totpd| totpd.rekey().await));
    let details = asked.map_err(|failure| {
        Error::refused(format!(
            "the old key and the new one are both needed until \"totpctl rekey\" has come to its end, and \
             are both there: {failure}"
        ))
    })?;
    let details = details::object(&details);
    Ok(Rekeyed {
        records: details::number(&details, "records").unwrap_or_default(),
        id: details::text(&details, "key"),
        fingerprint: details::text(&details, "fingerprint"),
        damaged: damaged(&details, "they could not be re-sealed, and are lost"),
    })
}

/// The name that the daemon knows the key by, and the one before.
const KEY: &str = "totpd.key";
const OLD: &str = "totpd.key.old";
/// A register that nothing is measured into. systemd 252 takes no empty list.
const NONE: &str = "16";
const CREDENTIALS: &str = "/etc/credstore.encrypted";
const DROP_IN: &str = "/etc/systemd/system/totpd.service.d/50-seal-key.conf";
const KEY_LENGTH: usize = 32;
