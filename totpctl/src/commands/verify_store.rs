//! `totpctl verify-store`: a look at every record.

use serde_json::Value;

use crate::bus::Bus;
use crate::failure::Failure;
use crate::{commands, json, output};

pub(super) fn run(json: bool) -> Result<(), Failure> {
    let bus = Bus::connect()?;
    let details = json::object(&bus.store("Verifying", async |totpd| totpd.verify().await)?);
    let damaged = commands::damaged(
        &details,
        "restore a backup, or remove and enroll these users again (totpctl remove, enroll)",
    );
    if json {
        output::json(&Value::from(details))?;
    } else {
        let records = json::number(&details, "records").unwrap_or_default();
        output::data(&format!("{records} records were read and unsealed.\n"))?;
    }
    damaged
}
