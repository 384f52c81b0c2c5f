//! `totpctl remove`: removes one factor, or all factors of a user.

use serde_json::{Map, Value, json};

use crate::client::{Client, details};
use crate::commands::current_code::current_code;
use crate::error::Error;
use crate::pam::asking_services::asking_services;
use crate::terminal::{input, output};

pub(super) fn run(user: &str, factor: Option<&str>, yes: bool, json: bool) -> Result<(), Error> {
    let client = Client::for_own_account(user)?;
    // A script has decided already.
    if !yes && input::is_terminal() {
        ask(&client, user, factor)?;
    }
    let code = current_code(&client, user)?;
    let id = factor.unwrap_or_default();
    client.manager(async |totpd| totpd.remove(user, id, &code).await)?;
    if json {
        return output::json(&json!({ "user": user, "factor": factor, "removed": true }));
    }
    output::note(&match factor {
        Some(factor) => format!("Factor {factor} of {user} is removed."),
        None => format!("All factors of {user} are removed."),
    });
    Ok(())
}

/// Asks whether to remove the last factor of a user who then cannot log in.
fn ask(client: &Client, user: &str, factor: Option<&str>) -> Result<(), Error> {
    let state = details::object(&client.manager(async |totpd| totpd.get_user(user).await)?);
    if !removes_last(&state, factor) {
        return Ok(());
    }
    let services: Vec<_> = asking_services()
        .into_iter()
        .filter(|service| !service.unenrolled.can_log_in())
        .map(|service| service.name)
        .collect();
    if services.is_empty() {
        return Ok(());
    }
    let services = services.join(", ");
    match input::confirm(&format!("{user} could then not log in by {services}. Go on? [y/N] "))? {
        true => Ok(()),
        false => Err(Error::refused("nothing is removed")),
    }
}

/// Reports whether the user has a verified factor, and none after the removal.
fn removes_last(state: &Map<String, Value>, factor: Option<&str>) -> bool {
    let mut verified = details::objects(state, "factors")
        .filter(|factor| details::text(factor, "status") == "verified")
        .map(|factor| details::text(factor, "factor"))
        .peekable();
    verified.peek().is_some() && verified.all(|id| factor.is_none_or(|removed| removed == id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_last_verified_factor_is_the_last() {
        let state = json!({ "factors": [
            { "factor": "f-a", "status": "verified" }, { "factor": "f-b", "status": "unverified" },
        ]});
        let state = state.as_object().unwrap();
        for (factor, expected) in [(None, true), (Some("f-a"), true), (Some("f-b"), false)] {
            assert_eq!(removes_last(state, factor), expected, "{factor:?}");
        }
        let none = json!({ "factors": [{ "factor": "f-b", "status": "unverified" }] });
        assert!(!removes_last(none.as_object().unwrap(), None), "nothing to lose");
    }
}
