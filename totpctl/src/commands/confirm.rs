//! `totpctl confirm`: the first code of a new factor.

use serde_json::json;

use crate::client::Client;
use crate::client::details;
use crate::error::Error;
use crate::terminal::{input, output, recovery_codes};

pub(super) fn run(user: &str, factor: Option<&str>, json: bool) -> Result<(), Error> {
    let client = Client::connect()?;
    let factor = match factor {
        Some(factor) => factor.to_owned(),
        None => pending(&client, user)?,
    };
    let code = input::code("Code that the app shows: ")?;
    let codes = client.manager(async |totpd| totpd.confirm(user, &factor, &code).await)?;
    if json {
        return output::json(&json!({ "user": user, "factor": factor, "recovery_codes": codes }));
    }
    output::note(&format!("Factor {factor} of {user} is verified: it opens the door from now on."));
    recovery_codes::show(user, &codes, None)
}

/// The pending factor that this caller made: nobody else's can be confirmed.
fn pending(client: &Client, user: &str) -> Result<String, Error> {
    let state = details::object(&client.manager(async |totpd| totpd.get_user(user).await)?);
    let maker = match nix::unistd::getuid() {
        uid if uid.is_root() => "root".to_owned(),
        uid => format!("uid {uid}"),
    };
    let is_pending = |factor: &&serde_json::Map<String, serde_json::Value>| {
        details::text(factor, "status") == "unverified"
    };
    let factors: Vec<_> = details::objects(&state, "factors").filter(is_pending).collect();
    let own = factors.iter().find(|factor| details::text(factor, "made_by") == maker);
    own.map(|factor| details::text(factor, "factor")).ok_or_else(|| {
        let others = match factors.is_empty() {
            true => "",
            false => " (one that somebody else made is confirmed by its maker alone)",
        };
        Error::refused(format!(
            "no factor of {user} waits for a first code from you{others}: make one with \
             \"totpctl enroll {user}\""
        ))
    })
}
