//! `totpctl shadow report`: who would get in by totpd as by the other module, and who not.

use serde_json::{Map, Value};
use totpd_journal::escape::escape;

use crate::client::{Client, details};
use crate::error::Error;
use crate::host::local_time;
use crate::terminal::output;

pub(super) fn run(json: bool) -> Result<(), Error> {
    let client = Client::connect()?;
    let mut rows = Vec::new();
    for_each_user(&client, |mut user| {
        match json {
            true => {
                user.insert("state".into(), State::of(&user).word().into());
                return output::json(&Value::from(user));
            }
            false => rows.push(row(&user)),
        }
        Ok(())
    })?;
    match (json, rows.is_empty()) {
        (true, _) => Ok(()),
        (false, true) => {
            output::note("Nobody is enrolled, and no login was noted. Next: totpctl enroll USER");
            Ok(())
        }
        (false, false) => {
            output::table(&["USER", "AGREE", "DIFFER", "LAST LOGIN", "STATE", "CAUSES"], rows)
        }
    }
}

/// Calls `action` with what is noted of each user, in the order of the names.
pub(super) fn for_each_user(
    client: &Client,
    mut action: impl FnMut(Map<String, Value>) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut after = String::new();
    loop {
        let page = client.manager(async |totpd| totpd.shadow_report(&after, PAGE_SIZE).await)?;
        for user in &page {
            let user = details::object(user);
            after = details::text(&user, "user");
            action(user)?;
        }
        if page.len() < PAGE_SIZE as usize {
            return Ok(());
        }
    }
}

/// Whether both modules agree about a user.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum State {
    /// The last login that the other module let in would get in here too.
    Agrees,
    /// It would not, or no login got in, and both differ.
    Differs,
    /// No login was noted.
    NeverSeen,
}

impl State {
    fn of(user: &Map<String, Value>) -> Self {
        let has_differed = details::objects(user, "differed").next().is_some();
        let refused_by = details::text(user, "refused_by");
        match details::number(user, "last_let_in") {
            // The next code would be good.
            Some(_) if refused_by.is_empty() || refused_by == USED => Self::Agrees,
            Some(_) => Self::Differs,
            None if has_differed => Self::Differs,
            None if details::number(user, "agreed").unwrap_or_default() > 0 => Self::Agrees,
            None => Self::NeverSeen,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Agrees => "agrees",
            Self::Differs => "differs",
            Self::NeverSeen => "never-seen",
        }
    }
}

fn row(user: &Map<String, Value>) -> Vec<String> {
    let count = |entry: &Map<String, Value>| details::number(entry, "count").unwrap_or_default();
    let differed: u64 = details::objects(user, "differed").map(count).sum();
    let causes: Vec<_> = details::objects(user, "differed")
        .map(|entry| format!("{} ({})", phrase(&details::text(entry, "cause")), count(entry)))
        .collect();
    vec![
        details::escape_text(user, "user"),
        details::number(user, "agreed").unwrap_or_default().to_string(),
        differed.to_string(),
        details::number(user, "last_let_in").map_or("-".into(), local_time::display_local),
        State::of(user).word().replace('-', " "),
        causes.join(", "),
    ]
}

/// Returns a phrase for the cause of a difference.
pub(super) fn phrase(cause: &str) -> String {
    match cause {
        "no-factor" => "no factor here".into(),
        "unconfirmed" => "factor not confirmed".into(),
        "digits" => "other digits".into(),
        "window" => "other window".into(),
        "clock" => "clock".into(),
        USED => "code used before".into(),
        "wrong-code" => "another seed".into(),
        "not-allowed" => "factor not allowed there".into(),
        "stack-refused" => "right here, refused there".into(),
        other => escape(other).into_owned(),
    }
}

const USED: &str = "used";
/// Users in one reply of the daemon.
const PAGE_SIZE: u32 = 500;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::terminal::output::undescribed_keys;

    fn user(entries: &Value) -> Map<String, Value> {
        let mut user = json!({ "user": "alice", "enrolled": true, "agreed": 0, "differed": [], "shut_out": false });
        let (all, more) = (user.as_object_mut().unwrap(), entries.as_object().unwrap());
        all.extend(more.clone());
        all.clone()
    }

    #[test]
    fn the_last_login_tells_whether_both_agree() {
        let differed = |cause: &str| json!([{ "cause": cause, "count": 2, "last": 5 }]);
        for (entries, expected, causes) in [
            (json!({}), "never seen", ""),
            (json!({ "agreed": 3 }), "agrees", ""),
            (json!({ "agreed": 3, "last_let_in": 5 }), "agrees", ""),
            (
                json!({ "last_let_in": 5, "refused_by": "window", "differed": differed("window") }),
                "differs",
                "other window (2)",
            ),
            (
                json!({ "last_let_in": 5, "differed": differed("no-factor") }),
                "agrees",
                "no factor here (2)",
            ),
            (
                json!({ "last_let_in": 5, "refused_by": "used", "differed": differed("used") }),
                "agrees",
                "code used before (2)",
            ),
            (
                json!({ "differed": differed("stack-refused") }),
                "differs",
                "right here, refused there (2)",
            ),
        ] {
            let row = row(&user(&entries));
            assert_eq!((row[4].as_str(), row[5].as_str()), (expected, causes), "{entries}");
        }
    }

    #[test]
    fn the_schema_describes_every_key() {
        let differed = json!([{ "cause": "clock", "count": 2, "last": 5 }]);
        let mut object =
            user(&json!({ "last_let_in": 5, "refused_by": "clock", "differed": differed }));
        object.insert("state".into(), State::of(&object).word().into());
        assert_eq!(undescribed_keys("shadow_report", &object.into()), Vec::<String>::new());
    }
}
