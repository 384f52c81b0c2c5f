//! `totpctl verify-store`: reads and unseals every record.

use serde_json::Value;

use crate::client::Client;
use crate::client::details;
use crate::commands::damaged_records::check_damaged;
use crate::error::Error;
use crate::terminal::output;

pub(super) fn run(json: bool) -> Result<(), Error> {
    let client = Client::connect()?;
    let details = details::object(&client.store("Verifying", async |totpd| totpd.verify().await)?);
    let damaged = check_damaged(
        &details,
        "restore a backup, or remove and enroll these users again (totpctl remove, enroll)",
    );
    if json {
        output::json(&Value::from(details))?;
    } else {
        let records = details::number(&details, "records").unwrap_or_default();
        output::data(&format!("{} read and unsealed.\n", output::count(records, "record")))?;
    }
    damaged
}
