//! `totpctl show`: shows the state of a user, without secrets.

use serde_json::{Map, Value};

use super::user_state;
use crate::client::account_uid::{correct_one, differing};
use crate::client::{Client, details};
use crate::error::Error;
use crate::terminal::output;

pub(super) fn run(user: &str, json: bool) -> Result<(), Error> {
    let client = Client::connect()?;
    let state = client.manager(async |totpd| totpd.get_user(user).await);
    let mut state =
        details::object(&state.map_err(|error| error.of_reading("show USER", "see other users"))?);
    correct_one(&mut state);
    match json {
        true => output::json(&Value::from(state)),
        false => output::lines(&page(&state)),
    }
}

fn page(state: &Map<String, Value>) -> String {
    let enrolled = if details::flag(state, "enrolled") { "enrolled" } else { "not enrolled" };
    let uid = details::number(state, "uid").unwrap_or_default();
    let name = details::escape_text(state, "user");
    let mut text = match differing(state) {
        Some((record, account)) => format!(
            "{name} (uid {account}) is not enrolled: the factors belong to uid {record}, so their codes are \
             denied. Enroll the user again: totpctl enroll {name}\n"
        ),
        None => format!("{name} (uid {uid}) is {enrolled}.\n"),
    };
    for factor in details::objects(state, "factors") {
        text.push_str(&format!("\n{}", user_state::factor(factor)));
    }
    text.push('\n');
    if details::flag(state, "enrolled") {
        text.push_str(&user_state::recovery_codes(state));
    }
    text.push_str(&user_state::remembered_logins(state));
    text.push_str(&user_state::wrong_codes(state));
    text
}
