//! `totpctl list`: all enrolled users.

use serde_json::{Map, Value};

use crate::bus::Bus;
use crate::failure::Failure;
use crate::{json, output};

pub(super) fn run(json: bool) -> Result<(), Failure> {
    let bus = Bus::connect()?;
    let (mut after, mut rows) = (String::new(), Vec::new());
    loop {
        let page = bus.manager(async |totpd| totpd.list_users(&after, PAGE).await)?;
        let is_last = page.len() < PAGE as usize;
        for user in &page {
            let user = json::object(user);
            after = json::text(&user, "user");
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
        json::objects(user, "factors").filter_map(|f| json::number(f, "last_used")).max();
    let state = if json::flag(user, "damaged") {
        "damaged"
    } else if json::flag(user, "locked") {
        "locked"
    } else if json::number(user, "retry_after").is_some() {
        "waiting"
    } else if json::flag(user, "enrolled") {
        "enrolled"
    } else {
        "unverified"
    };
    vec![
        output::escaped(&json::text(user, "user")),
        json::number(user, "uid").map_or("?".into(), |uid| uid.to_string()),
        json::objects(user, "factors").count().to_string(),
        last_used.map_or("never".into(), output::time),
        state.into(),
    ]
}

/// Users in one question to the daemon.
const PAGE: u32 = 500;
