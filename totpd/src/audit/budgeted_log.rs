//! The log of records that others can cause as often as they like.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::runtime::Handle;
use totpd_journal::Entry;
use totpd_store::mutex::lock;

use crate::audit::budget::{Admission, Budget, LINE_INTERVAL, Topic};
use crate::audit::condition::Condition;
use crate::host::clock;

/// A log that writes the lines within the budget, and sums up the rest. It can be cloned.
#[derive(Clone, Debug, Default)]
pub(crate) struct BudgetedLog(Arc<Mutex<Budget>>);

impl BudgetedLog {
    /// Writes `entry`, or counts it if there were too many lines of `topic`.
    pub(crate) fn write(&self, topic: Topic, entry: &Entry) {
        let (topic, admission) = self.budget(|budget| budget.admit(topic, clock::monotonic_ms()));
        match admission {
            Admission::Write { unwritten } => {
                write_summary(&topic, unwritten);
                entry.write();
            }
            Admission::Count { is_first: true } => self.sum_up_later(topic),
            Admission::Count { is_first: false } => {}
        }
    }

    /// Writes a summary later. A flood may end at any time, and then no later line would have the
    /// count.
    fn sum_up_later(&self, topic: Topic) {
        let Ok(runtime) = Handle::try_current() else { return };
        let log = self.clone();
        runtime.spawn(async move {
            tokio::time::sleep(Duration::from_millis(LINE_INTERVAL)).await;
            write_summary(&topic, log.budget(|budget| budget.sum_up(&topic)));
        });
    }

    fn budget<T>(&self, work: impl FnOnce(&mut Budget) -> T) -> T {
        work(&mut lock(&self.0))
    }
}

fn write_summary(topic: &Topic, unwritten: u64) {
    if unwritten > 0 {
        summary(topic, unwritten).write();
    }
}

fn summary(Topic { user, text }: &Topic, unwritten: u64) -> Entry {
    let message = format!("{unwritten} more lines like this were not written: {text}");
    Condition::LinesSuppressed
        .entry(message)
        .with("MESSAGE_ID", SUMMARY_MESSAGE_ID)
        .with("TOTP_USER", user.as_deref().unwrap_or_default())
        .with("TOTP_UNWRITTEN", &unwritten.to_string())
}

/// The id that finds every summary: `journalctl MESSAGE_ID=…`.
const SUMMARY_MESSAGE_ID: &str = "baa9cf711b52dc669df0945a4da0a8dc";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_summary_has_the_number_and_the_topic() {
        let topic = Topic { user: Some("alice".into()), text: "denied for alice".into() };
        let entry = String::from_utf8(summary(&topic, 70).native()).unwrap();
        let first =
            "MESSAGE=70 more lines like this were not written: denied for alice\nPRIORITY=5\n";
        assert!(entry.starts_with(first), "{entry}");
        assert!(entry.ends_with("TOTP_USER=alice\nTOTP_UNWRITTEN=70\n"), "{entry}");
    }
}
