//! `totpctl trust`: the logins that rules remember.

use serde_json::{Map, Value, json};

use crate::cli::Whose;
use crate::client::{Client, details};
use crate::error::Error;
use crate::host::local_time::display_local;
use crate::terminal::input::user_or_caller;
use crate::terminal::output;

/// Lists what is remembered.
pub(super) fn list(whose: &Whose, json: bool) -> Result<(), Error> {
    let user = named(whose)?;
    let listed = Client::connect()?.manager(async |totpd| totpd.list_trust(&user).await);
    let listed = listed.map_err(|error| error.of_reading("trust list", "see other users"))?;
    let logins: Vec<_> = listed.iter().map(details::object).collect();
    if json {
        return logins.into_iter().try_for_each(|login| output::json(&Value::from(login)));
    }
    if logins.is_empty() {
        output::note("No login is remembered.");
        return Ok(());
    }
    let rows = logins.iter().map(row).collect();
    output::table(&["USER", "SERVICE", "FROM", "SINCE", "UNTIL", "BY"], rows)
}

/// Ends what is remembered.
pub(super) fn revoke(whose: &Whose, json: bool) -> Result<(), Error> {
    let user = named(whose)?;
    let ended = Client::connect()?.manager(async |totpd| totpd.revoke_trust(&user).await)?;
    if json {
        let user = (!whose.all).then_some(user);
        return output::json(&json!({ "user": user, "ended": ended }));
    }
    output::note(&match ended {
        0 => "No login was remembered.".to_owned(),
        _ => format!("{} ended.", output::count(ended.into(), "remembered login")),
    });
    Ok(())
}

/// Returns the name for the daemon. It takes an empty one for everybody.
fn named(whose: &Whose) -> Result<String, Error> {
    if whose.all { Ok(String::new()) } else { user_or_caller(whose.user.as_deref()) }
}

fn row(login: &Map<String, Value>) -> Vec<String> {
    let text = |key| details::escape_text(login, key);
    let time = |key| display_local(details::number(login, key).unwrap_or_default());
    let kind = match details::number(login, "connections") {
        None => text("kind"),
        Some(left) => format!("{} ({left} left)", text("kind")),
    };
    [text("user"), text("service"), text("source"), time("since"), time("until"), kind].to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::terminal::output::undescribed_keys;

    #[test]
    fn a_login_is_a_row_and_the_schema_has_its_keys() {
        let login = json!({
            "user": "alice", "kind": "burst", "source": "192.0.2.1", "service": "sshd",
            "factor": "f-aaaaaaaa", "since": 0, "until": 20, "connections": 19,
        });
        let row = row(login.as_object().unwrap());
        assert_eq!((row[0].as_str(), row[5].as_str()), ("alice", "burst (19 left)"));
        assert!(undescribed_keys("trust_list", &login).is_empty());
        let ended = json!({ "user": null, "ended": 3 });
        assert!(undescribed_keys("trust_revoke", &ended).is_empty());
    }
}
