//! `totpctl rekey`: every record under a new key.

use serde_json::Value;

use crate::client::Client;
use crate::client::details;
use crate::commands::damaged::damaged;
use crate::error::Error;
use crate::terminal::output;

pub(super) fn run(json: bool) -> Result<(), Error> {
    let client = Client::connect()?;
    let details = details::object(&client.store("Re-sealing", async |totpd| totpd.rekey().await)?);
    let damaged = damaged(&details, "they could not be re-sealed, and are lost");
    if json {
        output::json(&Value::from(details))?;
    } else {
        let records = details::number(&details, "records").unwrap_or_default();
        let key = details::text(&details, "key");
        output::note(&format!(
            "{records} records are sealed under the new key {key}. Copies of the old key file can go.\n\
             Backups have the new fingerprint {} from now on. Keep it, and keep the old fingerprint for \
             as long as you keep earlier backups.",
            details::text(&details, "fingerprint")
        ));
    }
    damaged
}
