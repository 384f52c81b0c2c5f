//! The services that ask for a code, by their stacks.

use super::files::services;
use super::snapshot::Snapshot;
use super::unenrolled_users::{Outcome, Unenrolled};

/// A service that asks for a code.
pub(crate) struct AskingService {
    pub(crate) name: String,
    /// What it does with a user who has no factor.
    pub(crate) unenrolled: Unenrolled,
}

/// Returns the services that ask for a code, in the order of their names.
pub(crate) fn asking_services() -> Vec<AskingService> {
    // Services share files and modules.
    let files = Snapshot::default();
    services().into_iter().filter_map(|name| asking_service(name, &files)).collect()
}

fn asking_service(name: String, files: &Snapshot) -> Option<AskingService> {
    let exists = |module: &str| files.is_installed(module);
    let outcome = Outcome::from_service(&name, &|file| files.read(file), &exists)?;
    let unenrolled = outcome.unenrolled;
    (unenrolled != Unenrolled::NotAsked).then_some(AskingService { name, unenrolled })
}
