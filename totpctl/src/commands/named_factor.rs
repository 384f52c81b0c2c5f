//! The factor that a command is about, by its id or its name. Without either, the only one.

use serde_json::{Map, Value};

use crate::client::{Client, details};
use crate::error::Error;

/// Returns the id of the named factor, or of the only one of the user.
///
/// # Errors
/// If there is none, or if there are several, which are then listed.
pub(super) fn factor(client: &Client, user: &str, named: Option<&str>) -> Result<String, Error> {
    if let Some(named) = named {
        return named_factor(client, user, named, &|_| true);
    }
    let state = details::object(&client.manager(async |totpd| totpd.get_user(user).await)?);
    only(user, &state)
}

/// Returns the id of the factor with this id or this name, of those that `may_be` selects.
///
/// # Errors
/// If there is none, or if several have that name, which are then listed.
pub(super) fn named_factor(
    client: &Client,
    user: &str,
    named: &str,
    may_be: &dyn Fn(&Map<String, Value>) -> bool,
) -> Result<String, Error> {
    // The daemon says whether there is such a factor, also in a damaged record.
    if is_id(named) {
        return Ok(named.to_owned());
    }
    let state = details::object(&client.manager(async |totpd| totpd.get_user(user).await)?);
    let factors = details::objects(&state, "factors").filter(|factor| may_be(factor));
    by_name(user, named, &factors.collect::<Vec<_>>())
}

/// Reports whether a text has the form of an id: `f-` and eight letters or digits of base32.
fn is_id(text: &str) -> bool {
    let is_digit = |c: char| matches!(c, 'a'..='z' | '2'..='7');
    text.strip_prefix("f-").is_some_and(|id| id.len() == 8 && id.chars().all(is_digit))
}

fn by_name(user: &str, name: &str, factors: &[&Map<String, Value>]) -> Result<String, Error> {
    let has_name = |factor: &&&Map<String, Value>| details::text(factor, "name") == name;
    let found: Vec<_> = factors.iter().filter(has_name).copied().collect();
    match found.as_slice() {
        [factor] => Ok(details::text(factor, "factor")),
        [] if factors.is_empty() => Err(no_factor(user)),
        [] => Err(Error::Refused {
            code: "not-enrolled",
            message: format!(
                "{user} has no factor with the id or name {name:?}, but these: {}",
                choices(factors)
            ),
        }),
        several => Err(Error::Usage(format!(
            "{user} has {} factors of that name; name one by its id, with --factor: {}",
            several.len(),
            choices(several)
        ))),
    }
}

fn only(user: &str, state: &Map<String, Value>) -> Result<String, Error> {
    let factors: Vec<_> = details::objects(state, "factors").collect();
    match factors.as_slice() {
        [] => Err(no_factor(user)),
        [factor] => Ok(details::text(factor, "factor")),
        several => Err(Error::Usage(format!(
            "{user} has {} factors; name one by its id or its name, with --factor: {}",
            several.len(),
            choices(several)
        ))),
    }
}

fn no_factor(user: &str) -> Error {
    Error::refused(format!("{user} has no factor; create one: totpctl enroll {user}"))
}

/// Returns the ids of factors, each with its name in parentheses.
fn choices(factors: &[&Map<String, Value>]) -> String {
    let choice = |factor: &&Map<String, Value>| {
        let (id, name) = (details::text(factor, "factor"), details::escape_text(factor, "name"));
        match name.is_empty() {
            true => id,
            false => format!("{id} ({name})"),
        }
    };
    factors.iter().map(choice).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn state(factors: &[(&str, &str)]) -> Map<String, Value> {
        let factor = |(id, name): &(&str, &str)| json!({ "factor": id, "name": name });
        let factors: Vec<_> = factors.iter().map(factor).collect();
        json!({ "factors": factors }).as_object().unwrap().clone()
    }

    #[test]
    fn the_only_factor_is_meant_and_several_are_listed() {
        let told = only("alice", &state(&[])).unwrap_err().to_string();
        assert!(told.contains("totpctl enroll alice"), "{told}");
        assert_eq!(only("alice", &state(&[("f-a", "Pixel")])).unwrap(), "f-a");
        let several = only("alice", &state(&[("f-a", "Pixel"), ("f-b", "Pixel")])).unwrap_err();
        assert!(matches!(several, Error::Usage(_)));
        assert_eq!(
            several.to_string(),
            "alice has 2 factors; name one by its id or its name, with --factor: f-a (Pixel), f-b (Pixel)"
        );
    }

    #[test]
    fn a_name_that_one_factor_has_stands_for_it() {
        let state = state(&[("f-a", "Pixel"), ("f-b", "tablet"), ("f-c", "Pixel"), ("f-d", "")]);
        let factors: Vec<_> = details::objects(&state, "factors").collect();
        assert_eq!(by_name("alice", "tablet", &factors).unwrap(), "f-b");
        let several = by_name("alice", "Pixel", &factors).unwrap_err();
        assert!(matches!(several, Error::Usage(_)), "{several}");
        assert!(several.to_string().ends_with("--factor: f-a (Pixel), f-c (Pixel)"), "{several}");
        for name in ["pixel", "f-b", "Tablet", "tab"] {
            let unknown = by_name("alice", name, &factors).unwrap_err().to_string();
            let all = "but these: f-a (Pixel), f-b (tablet), f-c (Pixel), f-d";
            assert!(unknown.ends_with(all), "{unknown}");
        }
        assert!(by_name("alice", "x", &[]).unwrap_err().to_string().contains("totpctl enroll"));
        assert!(is_id("f-aeaqcaib"));
        for text in ["f-", "f-AEAQCAIB", "f-aeaqcai1", "f-aeaqcaibb", "x-aeaqcaib", "Pixel"] {
            assert!(!is_id(text), "{text}");
        }
    }
}
