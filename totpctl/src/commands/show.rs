//! `totpctl show`: prints the state of a user.

use serde_json::{Map, Value};

use crate::client::Client;
use crate::client::details;
use crate::error::Error;
use crate::terminal::output;

pub(super) fn run(user: &str, json: bool) -> Result<(), Error> {
    let client = Client::connect()?;
    let state = details::object(&client.manager(async |totpd| totpd.get_user(user).await)?);
    if json {
        return output::json(&Value::from(state));
    }
    let enrolled = if details::flag(&state, "enrolled") { "enrolled" } else { "not enrolled" };
    let uid = details::number(&state, "uid").unwrap_or_default();
    let name = details::escaped(&state, "user");
    output::data(&format!("{name} (uid {uid}) is {enrolled}.\n"))?;
    let factors: Vec<_> = details::objects(&state, "factors").map(factor).collect();
    if !factors.is_empty() {
        output::table(&["FACTOR", "NAME", "KIND", "STATUS", "MADE", "LAST USED"], factors)?;
    }
    for factor in details::objects(&state, "factors") {
        for line in sentences(factor) {
            output::data(&format!("{line}\n"))?;
        }
    }
    if details::flag(&state, "enrolled") {
        let left = details::number(&state, "recovery_codes").unwrap_or_default();
        output::data(&format!("{} left.\n", output::count(left, "recovery code")))?;
    }
    output::data(&format!("{}\n", unknown_sources(&state)))?;
    for known in details::objects(&state, "known_sources") {
        output::data(&format!("{}\n", known_source(known, &name)))?;
    }
    Ok(())
}

fn factor(factor: &Map<String, Value>) -> Vec<String> {
    let digits = details::number(factor, "digits").unwrap_or_default();
    let step = match details::number(factor, "period") {
        Some(period) => format!("{period} s"),
        None => "counter".into(),
    };
    let algorithm = details::text(factor, "algorithm");
    vec![
        details::text(factor, "factor"),
        details::escaped(factor, "name"),
        format!("{} {algorithm} {digits} digits {step}", details::text(factor, "kind")),
        details::text(factor, "status"),
        output::time(details::number(factor, "created").unwrap_or_default()),
        details::number(factor, "last_used").map_or("never".into(), output::time),
    ]
}

/// Returns sentences about what the table does not show.
fn sentences(factor: &Map<String, Value>) -> Vec<String> {
    let id = details::text(factor, "factor");
    let mut lines = Vec::new();
    let purpose = details::escaped(factor, "purpose");
    if !purpose.is_empty() {
        lines.push(format!("{id} is for {purpose}."));
    }
    let services = details::texts(factor, "services");
    if !services.is_empty() {
        lines.push(format!("{id} is valid only for {}.", services.join(", ")));
    }
    if details::text(factor, "status") == "unverified" {
        let maker = details::text(factor, "made_by");
        lines.push(format!(
            "{id} was created by {maker} and is pending: only its creator can give its first code."
        ));
    }
    if let Some(time) = details::number(factor, "usable_from") {
        let time = output::time_of_day(time);
        lines.push(format!(
            "{id} came with an existing secret: its codes are valid from {time} on."
        ));
    }
    if let Some(time) = details::number(factor, "not_before") {
        lines.push(format!("{id} is not valid before {}.", output::time(time)));
    }
    if let Some(time) = details::number(factor, "not_after") {
        lines.push(format!("{id} is not valid from {} on.", output::time(time)));
    }
    let steps = factor.get("drift").and_then(Value::as_i64).unwrap_or_default();
    let seconds = steps * details::number(factor, "period").unwrap_or_default().cast_signed();
    if seconds != 0 {
        let side = if seconds < 0 { "slow" } else { "fast" };
        let drift = output::duration(seconds.unsigned_abs());
        lines.push(format!("{id} is about {drift} {side}; totpd corrects for that."));
    }
    let service = details::escaped(factor, "last_service");
    let source = details::escaped(factor, "last_source");
    if !source.is_empty() {
        let service = if service.is_empty() { "-".into() } else { service };
        lines.push(format!("{id} was last used at {service} from {source}."));
    }
    lines
}

/// Returns the sentence about all unknown sources together.
fn unknown_sources(state: &Map<String, Value>) -> String {
    let user = details::escaped(state, "user");
    format!("Unknown sources: {}.", wrong_codes(state, &user, "wait"))
}

/// Returns the sentence about a source from which `user` logged in.
fn known_source(known: &Map<String, Value>, user: &str) -> String {
    let source = details::escaped(known, "source");
    let when = output::time(details::number(known, "last_success").unwrap_or_default());
    format!("{source} (known): {}; last right code {when}.", wrong_codes(known, user, "waits"))
}

/// Returns the wrong codes of one budget of `user`, with its wait or lock. `wait` is the verb of
/// the sentence.
fn wrong_codes(budget: &Map<String, Value>, user: &str, wait: &str) -> String {
    let failures = match details::number(budget, "failures").unwrap_or_default() {
        0 => "no wrong codes".to_owned(),
        number => output::count(number, "wrong code"),
    };
    if details::flag(budget, "locked") {
        return format!("locked after {failures}, until \"totpctl unlock {user}\"");
    }
    match details::number(budget, "retry_after") {
        Some(seconds) => format!("{failures}, {wait} {}", output::duration(seconds)),
        None => failures,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_source_has_a_sentence_with_its_wait_or_lock() {
        for (budget, known, unknown) in [
            (json!({ "failures": 0 }), "no wrong codes", "no wrong codes"),
            (json!({ "failures": 1 }), "1 wrong code", "1 wrong code"),
            (
                json!({ "failures": 3, "locked": false, "retry_after": 26 }),
                "3 wrong codes, waits 26 s",
                "3 wrong codes, wait 26 s",
            ),
            (
                json!({ "failures": 100, "locked": true }),
                "locked after 100 wrong codes, until \"totpctl unlock alice\"",
                "locked after 100 wrong codes, until \"totpctl unlock alice\"",
            ),
        ] {
            let mut state = budget.as_object().unwrap().clone();
            state.insert("user".into(), "alice".into());
            assert_eq!(unknown_sources(&state), format!("Unknown sources: {unknown}."));
            state.insert("source".into(), "192.0.2.1".into());
            let sentence = known_source(&state, "alice");
            let start = format!("192.0.2.1 (known): {known}; last right code ");
            assert!(sentence.starts_with(&start), "{sentence}");
        }
    }
}
