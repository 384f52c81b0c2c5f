//! Damaged records, as tasks on the whole store report them.

use serde_json::{Map, Value};
use totpd_journal::escape::escape;

use crate::client::details::number;
use crate::error::Error;
use crate::terminal::output;

/// Names the damaged records of a task. If there are any, it fails, and so a script notices.
/// `advice` says what they mean.
pub(super) fn check_damaged(details: &Map<String, Value>, advice: &str) -> Result<(), Error> {
    let count = number(details, "damaged_count").unwrap_or_default();
    if count == 0 {
        return Ok(());
    }
    let names = details.get("damaged").and_then(Value::as_array);
    for name in names.into_iter().flatten().filter_map(Value::as_str) {
        output::note(&format!("damaged: {}", escape(name)));
    }
    let records = output::count(count, "damaged record");
    Err(Error::reported(format!("{records}: {advice}")))
}
