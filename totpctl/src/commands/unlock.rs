//! `totpctl unlock`: clears the wrong codes of a user, and ends its remembered logins.

use serde_json::json;

use crate::client::Client;
use crate::error::Error;
use crate::terminal::output;

pub(super) fn run(user: &str, json: bool) -> Result<(), Error> {
    Client::connect()?.manager(async |totpd| totpd.unlock(user).await)?;
    if json {
        return output::json(&json!({ "user": user, "unlocked": true }));
    }
    output::note(&format!("{user} can try again at once."));
    Ok(())
}
