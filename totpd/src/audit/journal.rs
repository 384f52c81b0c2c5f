//! The journal as a sink of events. Events that others can cause as often as they like have a
//! budget.

mod change_record;
mod loggable;
mod login_record;
mod store_record;

use totpd_journal::Entry;

use self::change_record::{change_entry, change_topic};
use self::login_record::{login_entry, login_topic, user_of};
use self::store_record::store_entry;
use crate::audit::budget::Topic;
use crate::audit::budgeted_log::BudgetedLog;
use crate::audit::event::Event;

/// The journal.
#[derive(Debug, Default)]
pub(crate) struct Journal {
    log: BudgetedLog,
}

impl Journal {
    /// Writes a decision, or counts it if there were too many of its kind.
    pub(crate) fn record(&self, event: &Event<'_>) {
        let (entry, topic) = match event {
            Event::Login(event) => {
                let user = user_of(event);
                (login_entry(event, user.as_deref()), login_topic(event, user))
            }
            Event::Change(event) => (change_entry(event), change_topic(event)),
            Event::Store(by, event) => (store_entry(*by, event), None),
        };
        match topic {
            None => entry.write(),
            Some(topic) => self.log.write(topic, &entry),
        }
    }

    /// Writes a record that is about no user, within the budget of `topic`.
    pub(crate) fn report(&self, topic: String, entry: &Entry) {
        self.log.write(Topic { user: None, text: topic }, entry);
    }
}

#[cfg(test)]
mod tests;
