//! Plans and applies changes of the stacks of services.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use diffy::DiffOptions;
use pam_stack::parse::Kind;
use pam_stack::{Place, Refusal, Stack, analyze, disable, enable, passwords_as_codes};

use super::atomic_file::{replace, sync_folder};
use super::families::{family, is_one_command};
use super::lossless_text;
use super::unenrolled_users::options;
use crate::error::Error;
use crate::pam::files::{
    ADMINISTRATORS_FOLDER, about_shared, cannot_enroll, display, distributions_bytes, is_installed,
    is_shared, line_advice, path_of, read, read_lossless, remedy, service_advice,
};
use crate::pam::folders::SINGLE_FILE;
use crate::pam::module_options::{self, PASSWORD_TRIED_AS_CODE, denying_line};

/// The change of the file of one service.
#[derive(PartialEq, Eq)]
pub(crate) struct Change {
    /// The service.
    pub(crate) service: String,
    /// Its file in `/etc/pam.d`, even if only the distribution has one so far.
    pub(crate) path: PathBuf,
    /// The file that libpam reads now: `path`, or that of the distribution.
    source: PathBuf,
    /// Its present text, as [`lossless_text`] has it.
    pub(crate) before: String,
    /// Its new text.
    pub(crate) after: String,
}

impl Change {
    /// Returns the change as `diff -u` shows it.
    pub(crate) fn diff(&self) -> String {
        let path = |path: &Path| path.display().to_string();
        let mut options = DiffOptions::new();
        options.set_original_filename(path(&self.source)).set_modified_filename(path(&self.path));
        let (before, after) =
            (lossless_text::to_printable(&self.before), lossless_text::to_printable(&self.after));
        options.create_patch(&before, &after).to_string()
    }

    /// Replaces the file. A file of the distribution is copied as a whole, with the change. A copy
    /// that is no longer different is removed, because it would hide later updates.
    pub(crate) fn apply(&self) -> Result<(), Error> {
        let exists = fs::exists(&self.path).unwrap_or(false);
        let distributions = distributions_bytes(&self.service);
        let after = lossless_text::bytes(&self.after);
        let result = match exists && distributions.as_ref() == Some(&after) {
            true => fs::remove_file(&self.path).and_then(|()| sync_folder(&self.path)),
            false => replace(&self.path, &after, exists.then_some(&*self.path)),
        };
        result.map_err(|error| cannot_change(&self.path, &error))
    }

    #[cfg(test)]
    pub(super) fn example(service: &str, path: PathBuf, before: &str, after: &str) -> Self {
        let (before, after) = (before.into(), after.into());
        Self { service: service.into(), source: path.clone(), path, before, after }
    }
}

/// The file of a service.
pub(super) struct ServiceFile {
    /// The file that libpam reads.
    source: PathBuf,
    /// The file in `/etc/pam.d`.
    path: PathBuf,
    /// The text of `source`.
    text: String,
}

impl ServiceFile {
    pub(super) fn change_to(self, service: &str, after: String) -> Change {
        let Self { source, path, text: before } = self;
        Change { service: service.to_owned(), path, source, before, after }
    }
}

/// Plans the change after which `service` asks for a code. The other services of the same command
/// then ask too, because `sudo -i` and `su -` have their own services. All services of its program
/// that have a line get the same options.
pub(crate) fn plan_enable(service: &str, args: Option<&[String]>) -> Result<Vec<Change>, Error> {
    for arg in args.unwrap_or_default() {
        if arg.contains(['[', ']', '\n', '#', '\\']) {
            let advice = "leave out brackets, line ends, # and \\";
            return Err(Error::Usage(format!(
                "the option {arg:?} cannot stand in a file of PAM; {advice}"
            )));
        }
    }
    if let Some(fault) = module_options::faults(args.unwrap_or_default()).first() {
        return Err(Error::Usage(module_options::sentence(fault)));
    }
    if is_shared(service) {
        return Err(Error::refused(about_shared(service)));
    }
    if args.is_some_and(|args| args.iter().any(|arg| arg == "enroll"))
        && let Some(reason) = cannot_enroll(service)
    {
        return Err(not_changed_error(service, &Refusal::NeverSetsCredentials(reason)));
    }
    let names = family(service);
    // A new line has the options that another service of the command has.
    let inherited = names
        .iter()
        .filter(|name| is_one_command(name) && asks_for_code(name, &read))
        .map(|name| current_options(name))
        .next();
    let mut changes = Vec::new();
    for name in &names {
        let with = |file: &str| read_after(&changes, file);
        let asks = asks_for_code(name, &with);
        // A reader of fingerprints may have no place for a code: doctor names it.
        let is_left = if asks { args.is_none() } else { !is_one_command(name) };
        if *name != service && is_left {
            continue;
        }
        let args = args.or(inherited.as_deref().filter(|_| !asks));
        let file = read_service(name)?;
        let after = match enable(name, args, &with, &is_installed) {
            // The line is in a file that it includes: that of another service here, or a profile.
            Err(Refusal::Elsewhere(place)) if *name != service || names.contains(&&*place.file) => {
                None
            }
            other => other.map_err(|refusal| not_changed_error(name, &refusal))?,
        };
        if let Some(after) = after {
            changes.push(file.change_to(name, after));
        }
    }
    names.iter().try_for_each(|name| check_options(name, args, &changes))?;
    Ok(changes)
}

/// Refuses if a line of `service` would deny every login by its options after these changes, or
/// would try a password as a code because of `args`.
fn check_options(service: &str, args: Option<&[String]>, changes: &[Change]) -> Result<(), Error> {
    let stack = Stack::parse(service, Kind::Auth, &|file| read_after(changes, file));
    let Stack::Rules(rules) = stack else { return Ok(()) };
    let is_asked_for = args.is_some_and(|args| args.iter().any(|arg| arg == "try_first_pass"));
    let useless = || {
        let lines = passwords_as_codes(&rules, &is_installed);
        let line = lines.into_iter().find(|line| line.asks && is_asked_for)?;
        Some((line.place, format!("{PASSWORD_TRIED_AS_CODE}; leave it out")))
    };
    match denying_line(&rules, &is_installed).or_else(useless) {
        Some((place, reason)) => Err(Error::refused(format!(
            "{service} is not changed: the line at {} would not work: {reason}",
            display(&place)
        ))),
        None => Ok(()),
    }
}

/// Returns the services of a program that ask for a code, each with its options, if these differ.
pub(crate) fn differing_options(service: &str) -> Vec<(String, Vec<String>)> {
    let asking = family(service).into_iter().filter(|name| asks_for_code(name, &read));
    let all: Vec<_> = asking.map(|name| (name.to_owned(), current_options(name))).collect();
    let differ =
        all.iter().any(|(_, options)| Some(options) != all.first().map(|(_, first)| first));
    if differ { all } else { Vec::new() }
}

/// Returns the text of a file of PAM as it is after these changes.
pub(crate) fn read_after(changes: &[Change], file: &str) -> Option<String> {
    let changed = changes.iter().find(|change| change.service == file);
    changed.map_or_else(|| read_lossless(file), |change| Some(change.after.clone()))
}

/// Reports whether libpam would ask for a code at `service` after a wrong password too, so that
/// only a profile can ask there.
pub(crate) fn needs_profile(service: &str) -> bool {
    matches!(enable(service, None, &read, &is_installed), Err(Refusal::AfterWrongPassword(_)))
}

/// Returns the line by which `service` asks for a code after these changes.
pub(crate) fn asking_place(changes: &[Change], service: &str) -> Option<Place> {
    let stack = Stack::parse(service, Kind::Auth, &|file| read_after(changes, file));
    let Stack::Rules(rules) = stack else { return None };
    rules.iter().find(|rule| rule.is_factor()).map(|rule| rule.place.clone())
}

/// Returns the services whose logins these changes decide: the changed ones, and those of their
/// programs that include them, as `su-l` includes `su`.
pub(crate) fn changed_services(changes: &[Change]) -> Vec<String> {
    let mut services: Vec<_> = changes.iter().map(|change| change.service.clone()).collect();
    for change in changes {
        for name in family(&change.service) {
            let stack = Stack::parse(name, Kind::Auth, &|file| read_after(changes, file));
            let Stack::Rules(rules) = stack else { continue };
            let mut lines = rules.iter().filter(|rule| rule.is_factor());
            if lines.any(|rule| rule.place.file == change.service)
                && !services.iter().any(|service| service == name)
            {
                services.push(name.to_owned());
            }
        }
    }
    services
}

/// Returns how to give a service of sudo a file: it is the stack of `other` that decides without.
pub(crate) fn how_to_create(service: &str) -> String {
    let source = path_of("sudo").unwrap_or_else(|| format!("{ADMINISTRATORS_FOLDER}/sudo"));
    format!("create its file: cp {source} {ADMINISTRATORS_FOLDER}/{}", service.to_ascii_lowercase())
}

/// Returns the options that `service` has now, each once.
pub(crate) fn current_options(service: &str) -> Vec<String> {
    let Stack::Rules(rules) = Stack::parse(service, Kind::Auth, &read) else { return Vec::new() };
    let mut options: Vec<String> = options(&rules).map(ToOwned::to_owned).collect();
    options.dedup();
    options
}

/// Checks that the option `enroll` creates factors only after a password.
///
/// # Errors
/// Names the line before which no known password module accepts.
pub(crate) fn check_enroll_after_password(changes: &[Change]) -> Result<(), Error> {
    let with = |file: &str| read_after(changes, file);
    for change in changes {
        let Stack::Rules(rules) = Stack::parse(&change.service, Kind::Auth, &with) else {
            continue;
        };
        if let Some(place) = analyze(&rules, &is_installed).without_password {
            return Err(not_changed_error(&change.service, &Refusal::NoPasswordBefore(place)));
        }
    }
    Ok(())
}

/// Returns how to drop the options of a service: by totpctl, or in the file that has its line.
pub(crate) fn how_to_drop_options(service: &str) -> String {
    let Stack::Rules(rules) = Stack::parse(service, Kind::Auth, &read) else {
        return String::new();
    };
    let line = rules.iter().find(|rule| rule.is_factor());
    match line.filter(|rule| !family(service).contains(&&*rule.place.file)) {
        None => "--no-options drops them".to_owned(),
        Some(rule) => format!("{} sets them: {}", rule.place, line_advice(&rule.place)),
    }
}

pub(super) fn not_changed_error(service: &str, refusal: &Refusal) -> Error {
    Error::refused(match refusal {
        Refusal::Elsewhere(place) => {
            format!("{service} is not changed: {refusal}; {}", line_advice(place))
        }
        Refusal::NothingLeft => {
            format!("{service} is not changed: {refusal}; {}", service_advice())
        }
        Refusal::AfterWrongPassword(places) => {
            format!("{service} is not changed: {refusal}. {}", remedy(places))
        }
        _ => format!("{service} is not changed: {refusal}"),
    })
}

/// Plans the change after which `service`, and the other services of its program, ask for no code.
pub(crate) fn plan_disable(service: &str) -> Result<Vec<Change>, Error> {
    let mut changes: Vec<Change> = Vec::new();
    // The others include this one, so it is first.
    for name in family(service) {
        let asks = asks_for_code(name, &|file: &str| read_after(&changes, file));
        if name != service && !asks {
            continue;
        }
        let file = read_service(name)?;
        let with = |file: &str| read_after(&changes, file);
        let after = disable(name, &with).map_err(|refusal| not_changed_error(name, &refusal))?;
        if let Some(after) = after {
            changes.push(file.change_to(name, after));
        }
    }
    Ok(changes)
}

fn asks_for_code(service: &str, read: &dyn Fn(&str) -> Option<String>) -> bool {
    let stack = Stack::parse(service, Kind::Auth, read);
    matches!(stack, Stack::Rules(rules) if rules.iter().any(|rule| rule.is_factor()))
}

/// Returns the file of a service, with its present text.
pub(super) fn read_service(service: &str) -> Result<ServiceFile, Error> {
    let missing = || match is_shared(service) {
        true => Error::refused(about_shared(service)),
        false => Error::refused(format!("there is no PAM service {service:?}")),
    };
    let source =
        path_of(service).filter(|_| !service.starts_with(['/', '.'])).ok_or_else(missing)?;
    if source == SINGLE_FILE {
        return Err(Error::refused(format!(
            "{service} is not changed: this host has all stacks in {SINGLE_FILE}; add the line of \
             pam_totp.so there by hand, and check it with totpctl doctor"
        )));
    }
    let path = Path::new(ADMINISTRATORS_FOLDER).join(service);
    if fs::symlink_metadata(&path).is_ok_and(|file| file.is_symlink()) {
        if is_shared(service) {
            return Err(Error::refused(about_shared(service)));
        }
        return Err(Error::refused(format!(
            "{} is not changed: it is a link to a file of another program, for example authselect; use the \
             profile of that program",
            path.display()
        )));
    }
    let unreadable = |reason: &dyn std::fmt::Display| {
        Error::refused(format!("cannot change {source}: {reason}"))
    };
    if !Path::new(&source).is_file() {
        return Err(unreadable(&"it is not a regular file"));
    }
    let bytes = fs::read(&source).map_err(|error| unreadable(&error))?;
    let text = lossless_text::text(&bytes);
    Ok(ServiceFile { source: source.into(), path, text })
}

/// Returns the error for a file that could not be changed.
pub(crate) fn cannot_change(path: &Path, error: &io::Error) -> Error {
    let advice = match error.kind() {
        io::ErrorKind::PermissionDenied => {
            "; run this as root, and check that the file is not immutable (lsattr)"
        }
        io::ErrorKind::ReadOnlyFilesystem => "; mount it read-write for the change",
        io::ErrorKind::StorageFull => "; free some space",
        _ => "",
    };
    Error::refused(format!("cannot change {}: {error}{advice}", path.display()))
}
