//! The services of this host. Each is checked once.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use super::report::Report;
use super::stack::{self, Service};
use crate::error::Error;
use crate::host::door::known_doors::KNOWN;
use crate::pam::families::FAMILIES;
use crate::pam::files;
use crate::pam::snapshot::Snapshot;

/// The services that were checked so far.
#[derive(Default)]
pub(crate) struct Services {
    files: Snapshot,
    checked: RefCell<HashMap<String, Rc<Service>>>,
    reports: RefCell<HashMap<String, Report>>,
}

impl Services {
    /// Returns what is known about a service.
    pub(crate) fn get(&self, name: &str) -> Rc<Service> {
        if let Some(known) = self.checked.borrow().get(name) {
            return known.clone();
        }
        let mut report = Report::default();
        let service = Rc::new(stack::check(name, &self.files, &mut report));
        self.checked.borrow_mut().insert(name.to_owned(), service.clone());
        self.reports.borrow_mut().insert(name.to_owned(), report);
        service
    }

    /// Returns the report on the stack of a service, the first time.
    pub(crate) fn take_report(&self, name: &str) -> Report {
        self.get(name);
        self.reports.borrow_mut().remove(name).unwrap_or_default()
    }

    /// Reports whether a service has a file of its own.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.files.has(name)
    }

    /// Checks that each name is a service of this host, or of a program that doctor knows.
    ///
    /// # Errors
    /// [`Error::Usage`], with similar names.
    pub(crate) fn check_names(&self, named: &[String]) -> Result<(), Error> {
        let known = KNOWN.iter().map(|door| door.service).chain(USUAL);
        let known =
            || known.clone().chain(FAMILIES.iter().flat_map(|family| family.iter().copied()));
        // A file that cannot be read, as a dangling link, is a service all the same.
        let mut names = files::services();
        let is_known = |name: &str| {
            self.has(name)
                || names.iter().any(|other| other == name)
                || known().any(|other| other == name)
        };
        let Some(unknown) = named.iter().find(|name| name.is_empty() || !is_known(name)) else {
            return Ok(());
        };
        names.extend(USUAL.iter().map(ToString::to_string));
        let similar = match similar_names(unknown, names).as_slice() {
            [] => String::new(),
            names => format!("; similar names: {}", names.join(", ")),
        };
        Err(Error::Usage(format!(
            "cannot check {unknown:?}: this host has no PAM service of that name{similar}; without a name, doctor \
             checks all that ask for a code"
        )))
    }

    /// Returns the usual services that exist, and all others that ask for a code or have a wrong
    /// line of pam_totp.so.
    pub(crate) fn usual(&self) -> Vec<String> {
        let mut names: Vec<String> =
            USUAL.into_iter().filter(|name| self.has(name)).map(ToOwned::to_owned).collect();
        let others: Vec<_> = files::services()
            .into_iter()
            .filter(|name| !names.contains(name))
            .filter(|name| self.get(name).concerns_totpd())
            .collect();
        names.extend(others);
        names
    }
}

/// Returns the names that are most like a name, at most three.
pub(crate) fn similar_names(name: &str, mut names: Vec<String>) -> Vec<String> {
    let likeness = |other: &str| strsim::jaro_winkler(&name.to_lowercase(), other);
    names.retain(|other| likeness(other) > MIN_LIKENESS);
    names.sort_by(|one, other| likeness(other).total_cmp(&likeness(one)).then(one.cmp(other)));
    names.dedup();
    names.truncate(MAX_SIMILAR);
    names
}

/// As clap has it for its own suggestions.
const MIN_LIKENESS: f64 = 0.7;
const MAX_SIMILAR: usize = 3;
const USUAL: [&str; 6] = ["sshd", "sudo", "sudo-i", "su", "su-l", "login"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelled_service_is_told_with_similar_names() {
        let names = ["sshd", "sudo", "sudo-i", "su", "login", "sshd"].map(ToOwned::to_owned);
        for (name, expected) in [
            ("shsd", &["sshd"][..]),
            ("ssh", &["sshd"]),
            ("SUDO", &["sudo", "sudo-i", "su"]),
            ("nonsense", &[]),
            ("", &[]),
        ] {
            assert_eq!(similar_names(name, names.to_vec()), expected, "{name}");
        }
        let services = Services::default();
        let named = |name: &str| services.check_names(&[name.to_owned()]);
        assert!(named("sshd").is_ok() && named("gdm-password").is_ok());
        for name in ["no-such-service", "", "a/b", "../shadow", "common-nothing"] {
            let told = named(name).unwrap_err();
            assert!(matches!(told, Error::Usage(_)), "{name}");
            assert!(told.to_string().contains("no PAM service of that name"), "{told}");
        }
    }
}
