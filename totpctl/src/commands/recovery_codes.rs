//! `totpctl recovery-codes`: replaces all recovery codes.

use std::path::Path;

use serde_json::json;

use crate::client::Client;
use crate::commands::current_code::current_code;
use crate::error::Error;
use crate::terminal::output;
use crate::terminal::recovery_codes::{self, NewFile};

pub(super) fn run(user: &str, save: Option<&Path>, json: bool) -> Result<(), Error> {
    let file = save.map(|path| NewFile::create("--save", path)).transpose()?;
    let client = Client::connect_for(user)?;
    let code = current_code(&client, user)?;
    let codes = client.manager(async |totpd| totpd.recovery_codes(user, &code).await)?;
    if json {
        if let Some(file) = file {
            file.fill(recovery_codes::format_page(user, &codes).as_bytes())?;
        }
        return output::json(&json!({ "user": user, "recovery_codes": codes }));
    }
    recovery_codes::show(user, &codes, file)?;
    output::note("All earlier recovery codes are invalid.");
    Ok(())
}
