//! The question before the last factor of a user is removed or disabled.

use serde_json::{Map, Value};

use crate::client::{Client, details};
use crate::error::Error;
use crate::pam::asking_services::asking_services;
use crate::terminal::input;

/// Asks whether to remove or disable the last factor of a user who then cannot log in. Without a
/// factor it is about all of them. `refusal`: the error if the answer is no. Without a terminal
/// nothing is asked, because a script has decided already.
pub(super) fn ask_before_loss(
    client: &Client,
    user: &str,
    factor: Option<&str>,
    refusal: &'static str,
) -> Result<(), Error> {
    if !input::is_terminal() {
        return Ok(());
    }
    let state = details::object(&client.manager(async |totpd| totpd.get_user(user).await)?);
    if !loses_last(&state, factor) {
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
        false => Err(Error::refused(refusal)),
    }
}

/// Reports whether the user has a verified factor, and none without this one.
fn loses_last(state: &Map<String, Value>, factor: Option<&str>) -> bool {
    let mut verified = details::objects(state, "factors")
        .filter(|factor| details::text(factor, "status") == "verified")
        .map(|factor| details::text(factor, "factor"))
        .peekable();
    verified.peek().is_some() && verified.all(|id| factor.is_none_or(|lost| lost == id))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_the_last_verified_factor_is_the_last() {
        let state = json!({ "factors": [
            { "factor": "f-a", "status": "verified" }, { "factor": "f-b", "status": "unverified" },
        ]});
        let state = state.as_object().unwrap();
        for (factor, expected) in [(None, true), (Some("f-a"), true), (Some("f-b"), false)] {
            assert_eq!(loses_last(state, factor), expected, "{factor:?}");
        }
        let none = json!({ "factors": [{ "factor": "f-b", "status": "unverified" }] });
        assert!(!loses_last(none.as_object().unwrap(), None), "nothing to lose");
    }
}
