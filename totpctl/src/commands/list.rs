//! `totpctl list`: lists all enrolled users.

use serde_json::{Map, Value};

use crate::client::account_uid::differing;
use crate::client::users::for_each_user;
use crate::client::{Client, details};
use crate::error::Error;
use crate::host::local_time;
use crate::terminal::output;

pub(super) fn run(json: bool) -> Result<(), Error> {
    let client = Client::connect()?;
    let mut rows = Vec::new();
    for_each_user(&client, |user| {
        match json {
            true => return output::json(&Value::from(user)),
            false => rows.push(row(&user)),
        }
        Ok(())
    })
    .map_err(|error| error.of_reading("list", "list all users"))?;
    match (json, rows.is_empty()) {
        (true, _) => Ok(()),
        (false, true) => {
            output::note("Nobody is enrolled. Next: totpctl enroll USER");
            Ok(())
        }
        (false, false) => output::table(&["USER", "UID", "FACTORS", "LAST USED", "STATE"], rows),
    }
}

/// Returns the state of a user in one or two words.
pub(super) fn state(user: &Map<String, Value>) -> &'static str {
    if details::flag(user, "damaged") {
        "damaged"
    } else if differing(user).is_some() {
        "another uid"
    } else if details::flag(user, "locked") {
        "locked"
    } else if details::number(user, "retry_after").is_some() {
        "waiting"
    } else if details::flag(user, "enrolled") {
        "enrolled"
    } else {
        "unverified"
    }
}

fn row(user: &Map<String, Value>) -> Vec<String> {
    let last_used =
        details::objects(user, "factors").filter_map(|f| details::number(f, "last_used")).max();
    vec![
        details::escape_text(user, "user"),
        details::number(user, "uid").map_or("?".into(), |uid| uid.to_string()),
        details::objects(user, "factors").count().to_string(),
        last_used.map_or("never".into(), local_time::display_local),
        state(user).into(),
    ]
}
