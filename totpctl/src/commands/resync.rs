//! `totpctl resync`: finds the position of a token by two consecutive codes.

use serde_json::json;

use crate::client::Client;
use crate::commands::named_factor::named_factor;
use crate::error::Error;
use crate::terminal::{input, output};

pub(super) fn run(user: &str, factor: Option<&str>, json: bool) -> Result<(), Error> {
    let client = Client::connect()?;
    let named = factor.map(|named| named_factor(&client, user, named, &|_| true)).transpose()?;
    let factor = named.as_deref().unwrap_or_default();
    let first = input::code("A code of the token: ")?;
    let second = input::code("The next code: ")?;
    let codes = [first.as_str(), second.as_str()];
    client.manager(async |totpd| totpd.resync(user, factor, &codes).await)?;
    if json {
        return output::json(&json!({ "user": user, "resynchronized": true }));
    }
    output::note(&format!("The token of {user} is synchronized; its next code is valid."));
    Ok(())
}
