//! Logins without any question, as the configuration of a terminal or a greeter has them.

mod getty;
mod greeters;
mod key_file;

use std::path::{Path, PathBuf};

use glob::glob;

use self::getty::logins;
use self::greeters::GREETERS;
use self::key_file::values;
use super::{CodeNeed, Door};
use crate::pam::files::read_file;

/// Returns the ways in that ask nobody, one for each program and user.
pub(crate) fn doors() -> Vec<Door> {
    let mut found: Vec<Door> = Vec::new();
    let mut add = |program: &str, user: String, place: String| {
        let name = format!("{program}, automatic login");
        if found.iter().any(|door| door.name == name && door.who.as_ref() == Some(&user)) {
            return;
        }
        found.push(Door {
            name,
            service: None,
            who: Some(user),
            code: CodeNeed::NotAsked,
            exceptions: vec![format!("nobody types anything ({place})")],
        });
    };
    for (path, text) in texts(TERMINALS) {
        for (line, user) in logins(&text) {
            add("getty", user, format!("{}:{line}", path.display()));
        }
    }
    for (path, text) in texts(CREDENTIALS) {
        add("getty", text.trim().to_owned(), path.display().to_string());
    }
    for path in paths(DEBUG_SHELLS) {
        add("debug shell of systemd", "root".to_owned(), path.display().to_string());
    }
    for greeter in GREETERS {
        for (path, text) in texts(greeter.files) {
            for (line, value) in values(&text, greeter.keys) {
                let file = path.file_name().unwrap_or_default().to_string_lossy();
                if let Some(user) = greeter.user(&value, &file) {
                    add(greeter.name, user, format!("{}:{line}", path.display()));
                }
            }
        }
    }
    found
}

fn paths(patterns: &[&str]) -> impl Iterator<Item = PathBuf> {
    patterns.iter().flat_map(|pattern| glob(pattern).into_iter().flatten().flatten())
}

/// Returns the files that can be read, with their texts.
fn texts(patterns: &[&str]) -> impl Iterator<Item = (PathBuf, String)> {
    paths(patterns).filter_map(|path| Some((path.clone(), read_file(Path::new(&path)).ok()?)))
}

/// Where commands of gettys stand: units with what replaces and adds to them, tables of other
/// inits, and their files of variables.
const TERMINALS: &[&str] = &[
    "/etc/systemd/system/*getty*.service",
    "/run/systemd/system/*getty*.service",
    "/usr/local/lib/systemd/system/*getty*.service",
    "/usr/lib/systemd/system/*getty*.service",
    "/etc/systemd/system/getty.target.wants/*.service",
    "/etc/systemd/system/*getty*.service.d/*.conf",
    "/run/systemd/system/*getty*.service.d/*.conf",
    "/usr/local/lib/systemd/system/*getty*.service.d/*.conf",
    "/usr/lib/systemd/system/*getty*.service.d/*.conf",
    "/etc/systemd/system/autovt@.service",
    "/etc/systemd/system/autovt@.service.d/*.conf",
    "/etc/inittab",
    "/etc/conf.d/agetty*",
    "/etc/sv/*getty*/conf",
    "/etc/sv/*getty*/run",
];
/// The credential of systemd 254 and later by which agetty logs a user in.
const CREDENTIALS: &[&str] = &[
    "/etc/credstore/agetty.autologin",
    "/run/credstore/agetty.autologin",
    "/usr/lib/credstore/agetty.autologin",
];
/// A shell of root at a terminal, if it is enabled.
const DEBUG_SHELLS: &[&str] = &["/etc/systemd/system/*.wants/debug-shell.service"];
