//! `totpctl unlock`: the wrong codes of a user are forgotten.

use serde_json::json;

use crate::client::Bus;
use crate::error::Failure;
use crate::terminal::output;

pub(super) fn run(user: &str, json: bool) -> Result<(), Failure> {
    Bus::connect()?.manager(async |totpd| totpd.unlock(user).await)?;
    if json {
        return output::json(&json!({ "user": user, "unlocked": true }));
    }
    output::note(&format!("{user} can try again at once."));
    Ok(())
}
