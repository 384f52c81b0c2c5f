//! Logins without any question, as the configuration of a terminal or a greeter has them.

mod getty;
mod greeters;
mod key_file;

use std::path::{Path, PathBuf};

use glob::glob;

use self::getty::{Login, logins};
use self::greeters::GREETERS;
use self::key_file::values;
use super::{CodeNeed, Door};
use crate::host::stack_code::GUARDED;
use crate::pam::files::read_file;

/// Returns the ways in that ask nobody, one for each program and user. `guard`: who passes the
/// guard of login without a code, if it has one. All others are then refused.
pub(crate) fn doors(guard: Option<&[String]>) -> Vec<Door> {
    let mut found: Vec<Door> = Vec::new();
    let mut add = |program: &str, user: String, place: String, is_guarded: bool| {
        let name = format!("{program}, automatic login");
        if found.iter().any(|door| door.name == name && door.who.as_ref() == Some(&user)) {
            return;
        }
        let (service, code, exceptions) = match guard.filter(|_| is_guarded) {
            Some(passing) => (
                Some("login".to_owned()),
                CodeNeed::Unanswerable(format!("{GUARDED} ({place})")),
                passing.to_vec(),
            ),
            None => (None, CodeNeed::NotAsked, vec![format!("nobody types anything ({place})")]),
        };
        found.push(Door { name, service, who: Some(user), code, exceptions });
    };
    for (login, place) in of_terminals() {
        add("getty", login.user, place, login.runs_login);
    }
    for path in paths(DEBUG_SHELLS) {
        let place = path.display().to_string();
        add("debug shell of systemd", "root".to_owned(), place, false);
    }
    for greeter in GREETERS {
        for (path, text) in texts(greeter.files) {
            for (line, value) in values(&text, greeter.keys) {
                let file = path.file_name().unwrap_or_default().to_string_lossy();
                if let Some(user) = greeter.user(&value, &file) {
                    add(greeter.name, user, format!("{}:{line}", path.display()), false);
                }
            }
        }
    }
    found
}

/// Returns the logins that the program login lets in without a question, each as a phrase with its
/// place. A guard of login refuses these.
pub(crate) fn by_login() -> Vec<String> {
    let found = of_terminals().into_iter().filter(|(login, _)| login.runs_login);
    let mut phrases: Vec<_> =
        found.map(|(login, place)| format!("{} ({place})", login.user)).collect();
    phrases.dedup();
    phrases
}

/// Returns the logins of terminals, each with its place.
fn of_terminals() -> Vec<(Login, String)> {
    let mut found = Vec::new();
    for (path, text) in texts(TERMINALS) {
        let place = |line| format!("{}:{line}", path.display());
        found.extend(logins(&text).into_iter().map(|(line, login)| (login, place(line))));
    }
    for (path, text) in texts(CREDENTIALS) {
        let login = Login { user: text.trim().to_owned(), runs_login: true };
        found.push((login, path.display().to_string()));
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
