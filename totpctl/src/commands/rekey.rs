//! `totpctl rekey`: every record under a new key.

use serde_json::Value;

use crate::bus::Bus;
use crate::failure::Failure;
use crate::{commands, json, output};

pub(super) fn run(json: bool) -> Result<(), Failure> {
    let bus = Bus::connect()?;
    let details = json::object(&bus.store("Re-sealing", async |totpd| totpd.rekey().await)?);
    let damaged = commands::damaged(&details, "they could not be re-sealed, and are lost");
    if json {
        output::json(&Value::from(details))?;
    } else {
        let records = json::number(&details, "records").unwrap_or_default();
        let key = json::text(&details, "key");
        output::note(&format!(
            "{records} records are sealed under the new key {key}. Copies of the old key file can go.\n\
             Backups have the new fingerprint {} from now on. Keep it, and keep the old fingerprint for \
             as long as you keep earlier backups.",
            json::text(&details, "fingerprint")
        ));
    }
    damaged
}
