//! Changes of PAM that are being tried (`totpctl try`), where there is no systemd: what a reboot cut short is put
//! back when the daemon is started. Where there is one, its units do that, and this has no right to.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::journal::{Entry, Priority};

/// Has totpctl put back what should have ended, if there is anything.
pub fn put_back_what_is_stale() {
    if Path::new("/run/systemd/system").is_dir() || !Path::new(PENDING).exists() {
        return;
    }
    let started = Command::new(TOTPCTL)
        .args(["try", "--undo", "--if-stale"])
        .env_clear()
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    match started {
        // It is waited for in a thread, so that nothing is left of it.
        Ok(mut child) => drop(std::thread::spawn(move || child.wait())),
        Err(error) => {
            let told = format!("a change of PAM may be left half tried: {TOTPCTL}: {error}");
            Entry::new(Priority::Error, told).write();
        }
    }
}

const PENDING: &str = "/var/lib/totpctl/pending.json";
const TOTPCTL: &str = "/usr/bin/totpctl";
