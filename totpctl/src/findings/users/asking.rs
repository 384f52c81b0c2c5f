//! A service that asks for a code, and who has no password for it.

use pam_stack::parse::Kind;
use pam_stack::{Stack, admits_without_password};

use crate::host::shadow::Shadow;
use crate::pam::families::{family, is_one_command};
use crate::pam::snapshot::Snapshot;
use crate::pam::unenrolled_users::Unenrolled;

/// A service that asks for a code.
pub(crate) struct Asking {
    pub(crate) service: String,
    /// The services that the same command opens (`sudo -i`). A way in by one of them is enough.
    pub(crate) siblings: Vec<String>,
    /// What it does with users who have no factor.
    pub(crate) unenrolled: Unenrolled,
    /// Those who cannot log in there anyway.
    pub(crate) shut: Vec<String>,
}

impl Asking {
    /// Looks at a service of this host.
    pub(crate) fn of_host(service: &str, unenrolled: Unenrolled, locked: &LockedPasswords) -> Self {
        let siblings = family(service).into_iter();
        let siblings = siblings.filter(|name| *name != service && is_one_command(name));
        Self {
            service: service.to_owned(),
            siblings: siblings.map(ToOwned::to_owned).collect(),
            unenrolled,
            shut: locked.shut_out_of(&[service]),
        }
    }

    /// Returns the names of those who could log in.
    pub(super) fn without(&self, names: &[String]) -> Vec<String> {
        names.iter().filter(|name| !self.shut.contains(name)).cloned().collect()
    }

    /// Returns the names of those who cannot log in anyway.
    pub(super) fn among(&self, names: &[String]) -> Vec<String> {
        names.iter().filter(|name| self.shut.contains(name)).cloned().collect()
    }
}

/// The accounts of this host whose password never matches, and the files of PAM that say what needs
/// a password. Both are read once, however many services are looked at.
pub(crate) struct LockedPasswords {
    names: Vec<String>,
    files: Snapshot,
}

impl LockedPasswords {
    /// Reads those of this host.
    pub(crate) fn of_host() -> Self {
        Self { names: Shadow::of_host().locked(), files: Snapshot::default() }
    }

    /// Returns who cannot log in by any of these services, with or without a factor.
    pub(crate) fn shut_out_of(&self, services: &[&str]) -> Vec<String> {
        let read = |name: &str| self.files.read(name);
        let stacks = services.iter().map(|name| Stack::parse(name, Kind::Auth, &read));
        let exists = |module: &str| self.files.is_installed(module);
        shut_by_stacks(&stacks.collect::<Vec<_>>(), self.names.clone(), &exists)
    }
}

/// `locked`: the accounts whose password never matches. `exists` reports whether a module is
/// installed.
pub(super) fn shut_by_stacks(
    stacks: &[Stack],
    mut locked: Vec<String>,
    exists: &dyn Fn(&str) -> bool,
) -> Vec<String> {
    let admits = |stack: &Stack, is_root| match stack {
        Stack::Rules(rules) => admits_without_password(rules, exists, is_root),
        _ => true,
    };
    let [of_root, of_others] =
        [true, false].map(|is_root| stacks.iter().any(|stack| admits(stack, is_root)));
    locked.retain(|name| if name == "root" { !of_root } else { !of_others });
    locked
}
