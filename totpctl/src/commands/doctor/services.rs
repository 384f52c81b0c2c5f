//! The services of this host. Each is checked once.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use super::pam::{self, Service};
use super::report::Report;
use crate::pam::files;
use crate::pam::snapshot::Snapshot;

/// The services that were checked so far.
#[derive(Default)]
pub(super) struct Services {
    files: Snapshot,
    checked: RefCell<HashMap<String, Rc<Service>>>,
    reports: RefCell<HashMap<String, Report>>,
}

impl Services {
    /// Returns what is known about a service.
    pub(super) fn get(&self, name: &str) -> Rc<Service> {
        if let Some(known) = self.checked.borrow().get(name) {
            return known.clone();
        }
        let mut report = Report::default();
        let service = Rc::new(pam::check(name, &self.files, &mut report));
        self.checked.borrow_mut().insert(name.to_owned(), service.clone());
        self.reports.borrow_mut().insert(name.to_owned(), report);
        service
    }

    /// Returns the report on the stack of a service, the first time.
    pub(super) fn take_report(&self, name: &str) -> Report {
        self.get(name);
        self.reports.borrow_mut().remove(name).unwrap_or_default()
    }

    /// Reports whether a service has a file of its own.
    pub(super) fn has(&self, name: &str) -> bool {
        self.files.has(name)
    }

    /// Returns the usual services that exist, and all others that ask for a code.
    pub(super) fn usual(&self) -> Vec<String> {
        let mut names: Vec<String> =
            USUAL.into_iter().filter(|name| self.has(name)).map(ToOwned::to_owned).collect();
        let others: Vec<_> = files::services()
            .into_iter()
            .filter(|name| !names.contains(name) && self.get(name).asks)
            .collect();
        names.extend(others);
        names
    }
}

const USUAL: [&str; 6] = ["sshd", "sudo", "sudo-i", "su", "su-l", "login"];
