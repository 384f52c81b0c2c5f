//! `totpctl remove`: removes one factor, or all factors of a user.

use serde_json::json;

use crate::client::{Client, details};
use crate::commands::current_code::current_code;
use crate::commands::last_factor::ask_before_loss;
use crate::commands::named_factor::named_factor;
use crate::error::Error;
use crate::terminal::output;

pub(super) fn run(user: &str, factor: Option<&str>, yes: bool, json: bool) -> Result<(), Error> {
    let client = Client::for_own_account(user)?;
    let named = factor.map(|named| named_factor(&client, user, named, &|_| true)).transpose()?;
    let factor = named.as_deref();
    if !yes {
        ask_before_loss(&client, user, factor, "nothing is removed")?;
    }
    let code = current_code(&client, user)?;
    let id = factor.unwrap_or_default();
    let removed = client.manager(async |totpd| totpd.remove(user, id, &code).await);
    removed.map_err(|error| match factor {
        None if error.code() == Some("not-enrolled") => name_lack(error, &client, user),
        _ => error,
    })?;
    if json {
        return output::json(&json!({ "user": user, "factor": factor, "removed": true }));
    }
    output::note(&match factor {
        Some(factor) => format!("Factor {factor} of {user} is removed."),
        None => format!("All factors of {user} are removed."),
    });
    Ok(())
}

/// Returns the error with a better reason, if the user has no factor at all.
fn name_lack(error: Error, client: &Client, user: &str) -> Error {
    let state = client.manager(async |totpd| totpd.get_user(user).await);
    match state.map(|state| details::object(&state)) {
        Ok(state) if details::objects(&state, "factors").next().is_none() => {
            error.with_message(|_| format!("{user} has no factor; nothing is removed"))
        }
        _ => error,
    }
}
