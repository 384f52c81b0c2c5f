//! `totpctl list`: lists all enrolled users.

use serde_json::{Map, Value};

use crate::client::Client;
use crate::client::details;
use crate::error::Error;
use crate::terminal::output;

pub(super) fn run(json: bool) -> Result<(), Error> {
    let client = Client::connect()?;
    let (mut after, mut rows) = (String::new(), Vec::new());
    loop {
        let page = client.manager(async |totpd| totpd.list_users(&after, PAGE_SIZE).await)?;
        let is_last = page.len() < PAGE_SIZE as usize;
        for user in &page {
            let user = details::object(user);
            after = details::text(&user, "user");
            if json {
                output::json(&Value::from(user))?;
            } else {
                rows.push(row(&user));
            }
        }
        if is_last {
            break;
        }
    }
    if json || (rows.is_empty() && !output::is_terminal()) {
        return Ok(());
    }
    output::table(&["USER", "UID", "FACTORS", "LAST USED", "STATE"], rows)
}

fn row(user: &Map<String, Value>) -> Vec<String> {
    let last_used =
        details::objects(user, "factors").filter_map(|f| details::number(f, "last_used")).max();
    let state = if details::flag(user, "damaged") {
        "damaged"
    } else if details::flag(user, "locked") {
        "locked"
    } else if details::number(user, "retry_after").is_some() {
        "waiting"
    } else if details::flag(user, "enrolled") {
        "enrolled"
    } else {
        "unverified"
    };
    vec![
        details::escaped(user, "user"),
        details::number(user, "uid").map_or("?".into(), |uid| uid.to_string()),
        details::objects(user, "factors").count().to_string(),
        last_used.map_or("never".into(), output::time),
        state.into(),
    ]
}

/// Users in one reply of the daemon.
const PAGE_SIZE: u32 = 500;
