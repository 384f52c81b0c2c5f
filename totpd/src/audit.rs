//! The audit. Each decision is one [`event::Event`], and its sinks write it down. The journal is
//! the only sink.

use totpd_journal::Entry;

use crate::audit::event::Event;
use crate::audit::journal::Journal;

mod budget;
mod budgeted_log;
pub(crate) mod condition;
pub(crate) mod event;
mod journal;
pub(crate) mod reason;

/// Records a decision.
#[derive(Debug, Default)]
pub(crate) struct Audit {
    journal: Journal,
}

impl Audit {
    /// Hands an event to every sink.
    pub(crate) fn record(&self, event: &Event<'_>) {
        self.journal.record(event);
    }

    /// Writes a record of the daemon's own state that others can cause as often as they like.
    /// Records of the same `topic` share a budget.
    pub(crate) fn report(&self, topic: String, entry: &Entry) {
        self.journal.report(topic, entry);
    }
}
