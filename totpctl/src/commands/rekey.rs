//! `totpctl rekey`: seals every record under a new key.

use serde_json::Value;

use crate::client::Client;
use crate::client::details;
use crate::commands::damaged_records::check_damaged;
use crate::error::Error;
use crate::terminal::output;

pub(super) fn run(json: bool) -> Result<(), Error> {
    let client = Client::connect()?;
    let details = details::object(&client.store("Re-sealing", async |totpd| totpd.rekey().await)?);
    let damaged = check_damaged(
        &details,
        "cannot seal them under the new key, so they are lost; restore them from a backup",
    );
    if json {
        output::json(&Value::from(details))?;
    } else {
        let records = details::number(&details, "records").unwrap_or_default();
        let key = details::text(&details, "key");
        output::note(&format!(
            "{} sealed under the new key {key}. You can delete copies of the old key file.\n\
             Backups have the new fingerprint {} from now on. Keep it, and keep the old fingerprint until \
             you delete the earlier backups.",
            output::count(records, "record"),
            details::text(&details, "fingerprint")
        ));
    }
    damaged
}
