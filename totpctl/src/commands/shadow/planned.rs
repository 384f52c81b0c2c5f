//! What is shown of changes of shadow mode.

use serde_json::json;

use crate::commands::enable::{NOTHING_CHANGED, object, print_diff};
use crate::error::Error;
use crate::pam::change::Change;
use crate::terminal::output;

/// Shows what would be changed.
pub(super) fn show(service: &str, changes: &[Change], json: bool) -> Result<(), Error> {
    if json {
        return print_json(service, changes);
    }
    print_diff(changes, None, None)?;
    output::note(NOTHING_CHANGED);
    Ok(())
}

/// Prints the object of these changes.
pub(super) fn print_json(service: &str, changes: &[Change]) -> Result<(), Error> {
    output::json(&json!(object(service, changes)))
}
