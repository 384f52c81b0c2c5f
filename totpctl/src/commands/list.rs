//! `totpctl list`: lists all enrolled users.

use std::collections::BTreeSet;

use serde_json::{Map, Value};
use totpd_journal::escape::escape;

use crate::client::account_uid::differing;
use crate::client::users::for_each_user;
use crate::client::{Client, details};
use crate::error::Error;
use crate::findings::users::factor_holder::{is_usable, now};
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

/// Returns the state for people: of a user who has a factor also whether its codes are valid now.
fn shown_state(user: &Map<String, Value>, now: u64) -> String {
    match state(user) {
        "enrolled" => validity(user, now),
        other => other.into(),
    }
}

/// Says for what the codes of an enrolled user are valid now.
fn validity(user: &Map<String, Value>, now: u64) -> String {
    let factors = || details::objects(user, "factors");
    let usable: Vec<_> = factors().filter(|factor| is_usable(factor, None, now)).collect();
    let of_all = |factor: &&Map<String, Value>| details::texts(factor, "services").is_empty();
    if usable.iter().any(of_all) {
        return "enrolled".into();
    }
    let services: BTreeSet<_> =
        usable.iter().flat_map(|factor| details::texts(factor, "services")).collect();
    if !services.is_empty() {
        let names: Vec<_> = services.into_iter().map(|name| escape(&name).to_string()).collect();
        return format!("only {}", output::first_names(&names));
    }
    let is_verified = |factor: &&Map<String, Value>| details::text(factor, "status") == "verified";
    let verified: Vec<_> = factors().filter(is_verified).collect();
    let is_early = |factor: &Map<String, Value>| {
        details::number(factor, "not_before").is_some_and(|from| from > now)
    };
    match verified.as_slice() {
        [] => "disabled".into(),
        several if several.iter().any(|factor| is_early(factor)) => "not valid yet".into(),
        _ => "expired".into(),
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
        shown_state(user, now()),
    ]
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_state_says_whether_the_codes_are_valid() {
        let disabled = json!({ "status": "disabled" });
        let expired = json!({ "status": "verified", "not_after": 1_000 });
        let early = json!({ "status": "verified", "not_before": 1_001 });
        let of_sudo = json!({ "status": "verified", "services": ["sudo"] });
        let of_two = json!({ "status": "verified", "services": ["sudo", "sshd"] });
        let of_all = json!({ "status": "verified", "services": [] });
        for (factors, expected) in [
            (vec![&of_all], "enrolled"),
            (vec![&disabled, &of_all], "enrolled"),
            (vec![&disabled], "disabled"),
            (vec![&expired], "expired"),
            (vec![&disabled, &expired], "expired"),
            (vec![&early], "not valid yet"),
            (vec![&of_sudo], "only sudo"),
            (vec![&of_sudo, &of_two, &expired], "only sshd, sudo"),
        ] {
            let user = json!({ "user": "alice", "enrolled": true, "factors": factors });
            assert_eq!(shown_state(user.as_object().unwrap(), 1_000), expected, "{factors:?}");
        }
        let locked = json!({ "enrolled": true, "locked": true, "factors": [disabled] });
        assert_eq!(shown_state(locked.as_object().unwrap(), 1_000), "locked");
    }
}
