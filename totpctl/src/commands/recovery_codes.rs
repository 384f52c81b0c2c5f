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
    if file.is_none() {
        output::check_is_read("nobody would see the codes; use a file or --save")?;
    }
    let client = Client::for_own_account(user)?;
    let code = current_code(&client, user)?;
    let codes = client.manager(async |totpd| totpd.recovery_codes(user, &code).await)?;
    let told = match json {
        true => recovery_codes::save(user, &codes, file)
            .and_then(|()| output::json(&json!({ "user": user, "recovery_codes": codes }))),
        false => recovery_codes::show(user, &codes, file),
    };
    told.map_err(|error| {
        error.with_consequence("the earlier recovery codes are invalid; run the command again")
    })?;
    if !json {
        output::note("All earlier recovery codes are invalid.");
    }
    Ok(())
}
