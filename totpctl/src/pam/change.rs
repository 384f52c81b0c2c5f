//! What is changed in the stacks of services.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use diffy::DiffOptions;
use pam_stack::parse::Kind;
use pam_stack::{Refusal, Stack, analyze, disable, enable};

use super::atomic_file::replace;
use crate::error::Error;
use crate::pam::files::{
    FOLDERS, cannot_enroll, is_installed, is_module_option, option_conflict, path_of, read, remedy,
};

/// What becomes of the file of one service.
pub(crate) struct Change {
    /// The service.
    pub(crate) service: String,
    /// Its file, which is in `/etc` also where only the distribution has one yet.
    pub(crate) path: PathBuf,
    /// Its text now.
    pub(crate) before: String,
    /// Its text then.
    pub(crate) after: String,
}

impl Change {
    /// The lines that change, as `diff -u` shows them.
    pub(crate) fn diff(&self) -> String {
        let path = self.path.display().to_string();
        let mut options = DiffOptions::new();
        options.set_original_filename(path.clone()).set_modified_filename(path);
        options.create_patch(&self.before, &self.after).to_string()
    }

    /// Whether the file is still what the change was worked out for.
    pub(crate) fn still_fits(&self) -> Result<(), Error> {
        let (_, now) = read_service(&self.service)?;
        if now == self.before {
            return Ok(());
        }
        Err(Error::refused(format!(
            "nothing is changed: somebody else changed {} at this moment; look at it, and run this again",
            self.path.display()
        )))
    }

    /// Puts it in the place of the file, for good.
    pub(crate) fn apply(&self) -> Result<(), Error> {
        let like = fs::exists(&self.path).unwrap_or(false).then_some(&*self.path);
        replace(&self.path, &self.after, like).map_err(|error| cannot_change(&self.path, &error))
    }
}

/// What is to be changed for `service` to ask for a code, and with it whatever else the same program asks
/// PAM for: `sudo -i` and `su -` have services of their own.
pub(crate) fn plan_enable(service: &str, args: Option<&[String]>) -> Result<Vec<Change>, Error> {
    for arg in args.unwrap_or_default() {
        if !is_module_option(arg) || arg.contains(['[', ']', '\n', '#', '\\']) {
            return Err(Error::Usage(format!(
                "pam_totp.so has no option {arg:?}; see pam_totp(8)"
            )));
        }
    }
    if let Some(why) = option_conflict(args.unwrap_or_default()) {
        return Err(Error::Usage(format!(
            "these options of pam_totp.so do not go together: {why}"
        )));
    }
    if args.is_some_and(|args| args.iter().any(|arg| arg == "enroll"))
        && let Some(why) = cannot_enroll(service)
    {
        return Err(not_changed(service, &Refusal::NeverSetsCredentials(why)));
    }
    let mut changes = Vec::new();
    for name in family(service) {
        let (path, before) = read_service(name)?;
        let with = |file: &str| {
            let changed = changes.iter().find(|change: &&Change| change.service == file);
            changed.map_or_else(|| read(file), |change| Some(change.after.clone()))
        };
        // It may ask by what it includes.
        if name != service && asks_for_code(name, &with) {
            continue;
        }
        let after = enable(name, args, &with, &is_installed)
            .map_err(|refusal| not_changed(name, &refusal))?;
        if let Some(after) = after {
            changes.push(Change { service: name.to_owned(), path, before, after });
        }
    }
    Ok(changes)
}

/// A factor is made behind a password alone (option `enroll`), unless the program asks for a key before PAM.
///
/// # Errors
/// Names the line before which nothing is known to be asked.
pub(crate) fn check_enroll_after_password(changes: &[Change]) -> Result<(), Error> {
    for change in changes {
        let with = |file: &str| {
            let changed = changes.iter().find(|change| change.service == file);
            changed.map_or_else(|| read(file), |change| Some(change.after.clone()))
        };
        let Stack::Rules(rules) = Stack::parse(&change.service, Kind::Auth, &with) else {
            continue;
        };
        if let Some(place) = analyze(&rules, &is_installed).without_password {
            return Err(not_changed(&change.service, &Refusal::NoPasswordBefore(place)));
        }
    }
    Ok(())
}

fn not_changed(service: &str, refusal: &Refusal) -> Error {
    Error::refused(match refusal {
        Refusal::AfterWrongPassword(places) => {
            format!("{service} is left as it is: {refusal}. {}", remedy(places))
        }
        _ => format!("{service} is left as it is: {refusal}"),
    })
}

/// What is to be changed for `service`, and its family, to ask for no code.
pub(crate) fn plan_disable(service: &str) -> Result<Vec<Change>, Error> {
    let mut changes: Vec<Change> = Vec::new();
    // Who is included goes first.
    for name in family(service) {
        let (path, before) = read_service(name)?;
        let with = |file: &str| {
            let changed = changes.iter().find(|change| change.service == file);
            changed.map_or_else(|| read(file), |change| Some(change.after.clone()))
        };
        let after = disable(name, &with).map_err(|refusal| {
            Error::refused(format!(
                "{name} is left as it is: {refusal}. A profile goes by the program that wrote it: \
                 pam-auth-update --disable totp, or authselect disable-feature with-totp (and with-totp-required)"
            ))
        })?;
        if let Some(after) = after {
            changes.push(Change { service: name.to_owned(), path, before, after });
        }
    }
    Ok(changes)
}

/// A service, and those that the same program asks PAM for.
fn family(service: &str) -> impl Iterator<Item = &str> {
    let other = match service {
        "su" => Some("su-l"),
        "sudo" => Some("sudo-i"),
        _ => None,
    };
    std::iter::once(service).chain(other.filter(|name| path_of(name).is_some()))
}

fn asks_for_code(service: &str, read: &dyn Fn(&str) -> Option<String>) -> bool {
    let stack = Stack::parse(service, Kind::Auth, read);
    matches!(stack, Stack::Rules(rules) if rules.iter().any(|rule| rule.module() == "pam_totp"))
}

/// Where the file of a service is or would be, and its text now.
fn read_service(service: &str) -> Result<(PathBuf, String), Error> {
    let missing = || Error::refused(format!("there is no PAM service {service:?}"));
    let found =
        path_of(service).filter(|_| !service.starts_with(['/', '.'])).ok_or_else(missing)?;
    let path = Path::new(FOLDERS[0]).join(service);
    if fs::symlink_metadata(&path).is_ok_and(|file| file.is_symlink()) {
        return Err(Error::refused(format!(
            "{} is a link: another program writes what it leads to (authselect, perhaps); use its \
             profile",
            path.display()
        )));
    }
    let unreadable =
        |why: &dyn std::fmt::Display| Error::refused(format!("{found} cannot be changed: {why}"));
    let bytes = fs::read(&found).map_err(|error| unreadable(&error))?;
    let text = String::from_utf8(bytes).map_err(|_| unreadable(&"it is not UTF-8"))?;
    Ok((path, text))
}

/// Why a file could not be changed.
pub(crate) fn cannot_change(path: &Path, error: &io::Error) -> Error {
    let hint = match error.kind() {
        io::ErrorKind::PermissionDenied => {
            "; only root may, and not where the file is immutable (lsattr)"
        }
        io::ErrorKind::ReadOnlyFilesystem => "; make it writable for the change",
        io::ErrorKind::StorageFull => "; make room for it",
        _ => "",
    };
    Error::refused(format!("{} cannot be changed: {error}{hint}", path.display()))
}
