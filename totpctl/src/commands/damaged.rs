//! Damaged records, which every task that reads the whole store may meet.

use serde_json::{Map, Value};

use crate::client::details::number;
use crate::error::Error;
use crate::terminal::output;

/// Names the damaged records that a task has met, and fails if there are any: whoever runs it from a
/// script must hear of them.
pub(super) fn damaged(details: &Map<String, Value>, meaning: &str) -> Result<(), Error> {
    let count = number(details, "damaged_count").unwrap_or_default();
    if count == 0 {
        return Ok(());
    }
    let named = details.get("damaged").and_then(Value::as_array);
    for name in named.into_iter().flatten().filter_map(Value::as_str) {
        output::note(&format!("damaged: {}", output::escape(name)));
    }
    Err(Error::refused(format!("{count} damaged records: {meaning}")))
}
