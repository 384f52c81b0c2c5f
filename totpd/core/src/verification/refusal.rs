//! The refusal of every answer.

use crate::record::Record;
use crate::verification::verdict::Reason;

/// Returns the reason why the record accepts no answer at all from the account with `uid`.
pub(super) fn refusal_of_any(record: &Record, uid: u32) -> Option<Reason> {
    if !record.belongs_to(uid) {
        Some(Reason::UidChanged)
    } else if !record.is_enrolled() {
        Some(Reason::NotEnrolled)
    } else if record.is_disabled() {
        Some(Reason::Disabled)
    } else {
        None
    }
}
