//! `totpctl resync`: the counter of a token, by two codes in a row.

use serde_json::json;

use crate::client::Bus;
use crate::error::Failure;
use crate::terminal::{input, output};

pub(super) fn run(user: &str, factor: Option<&str>, json: bool) -> Result<(), Failure> {
    let bus = Bus::connect()?;
    let first = input::code("A code of the token: ")?;
    let second = input::code("The next code: ")?;
    let codes = [first.as_str(), second.as_str()];
    bus.manager(async |totpd| totpd.resync(user, factor.unwrap_or_default(), &codes).await)?;
    if json {
        return output::json(&json!({ "user": user, "resynchronized": true }));
    }
    output::note(&format!("The token of {user} is in step again; the next code opens the door."));
    Ok(())
}
