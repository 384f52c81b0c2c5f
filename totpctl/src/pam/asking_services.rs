//! The services that ask for a code, by their stacks.

use super::files::{read, services};
use super::unenrolled_users::{Outcome, Unenrolled};

/// A service that asks for a code.
pub(crate) struct AskingService {
    pub(crate) name: String,
    /// What it does with a user who has no factor.
    pub(crate) unenrolled: Unenrolled,
}

/// Returns the services that ask for a code, in the order of their names.
pub(crate) fn asking_services() -> Vec<AskingService> {
    services().into_iter().filter_map(asking_service).collect()
}

fn asking_service(name: String) -> Option<AskingService> {
    let outcome = Outcome::from_service(&name, &read)?;
    let unenrolled = outcome.unenrolled;
    (unenrolled != Unenrolled::NotAsked).then_some(AskingService { name, unenrolled })
}
