//! What the daemon remembers of logins in memory.

use std::sync::{Mutex, MutexGuard};

use totpd_core::remembered::BootId;
use totpd_core::trust::Bursts;
use totpd_store::mutex::lock;

/// The bursts, and the run of the host in which they are.
#[derive(Debug)]
pub(crate) struct Remembering {
    bursts: Mutex<Bursts>,
    pub(super) boot: BootId,
}

impl Remembering {
    /// Remembers nothing yet in this run of the host.
    pub(crate) fn new(boot: BootId) -> Self {
        Self { bursts: Mutex::default(), boot }
    }

    /// Returns the bursts. One connection at a time looks at them.
    pub(super) fn bursts(&self) -> MutexGuard<'_, Bursts> {
        lock(&self.bursts)
    }
}
