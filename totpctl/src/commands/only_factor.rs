//! The factor that a command is about if none is named.

use serde_json::{Map, Value};

use crate::client::{Client, details};
use crate::error::Error;

/// Returns the named factor, or the only one of the user.
///
/// # Errors
/// If there is none, or if there are several, which are then listed.
pub(super) fn only_factor(
    client: &Client,
    user: &str,
    named: Option<&str>,
) -> Result<String, Error> {
    if let Some(factor) = named {
        return Ok(factor.to_owned());
    }
    let state = details::object(&client.manager(async |totpd| totpd.get_user(user).await)?);
    only(user, &state)
}

fn only(user: &str, state: &Map<String, Value>) -> Result<String, Error> {
    let factors: Vec<_> = details::objects(state, "factors").collect();
    match factors.as_slice() {
        [] => {
            Err(Error::refused(format!("{user} has no factor; create one: totpctl enroll {user}")))
        }
        [factor] => Ok(details::text(factor, "factor")),
        several => {
            let titles: Vec<_> = several.iter().map(|factor| choice(factor)).collect();
            Err(Error::Usage(format!(
                "{user} has {} factors; name one by its id, with --factor: {}",
                several.len(),
                titles.join(", ")
            )))
        }
    }
}

/// Returns the id of a factor, and its name in parentheses: the id is what the option takes.
fn choice(factor: &Map<String, Value>) -> String {
    let (id, name) = (details::text(factor, "factor"), details::escape_text(factor, "name"));
    match name.is_empty() {
        true => id,
        false => format!("{id} ({name})"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_only_factor_is_meant_and_several_are_listed() {
        let state = |ids: &[&str]| {
            let factors: Vec<_> =
                ids.iter().map(|id| json!({ "factor": id, "name": "Pixel" })).collect();
            json!({ "factors": factors }).as_object().unwrap().clone()
        };
        assert!(
            only("alice", &state(&[])).unwrap_err().to_string().contains("totpctl enroll alice")
        );
        assert_eq!(only("alice", &state(&["f-a"])).unwrap(), "f-a");
        let several = only("alice", &state(&["f-a", "f-b"])).unwrap_err();
        assert!(matches!(several, Error::Usage(_)));
        assert_eq!(
            several.to_string(),
            "alice has 2 factors; name one by its id, with --factor: f-a (Pixel), f-b (Pixel)"
        );
    }
}
