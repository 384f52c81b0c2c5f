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
    output::data(&format!("{}\n", wrong_codes(&state)))?;
    for known in details::objects(&state, "known_sources") {
        let source = details::escaped(known, "source");
        let when = output::time(details::number(known, "last_success").unwrap_or_default());
        let failures = match details::number(known, "failures") {
            Some(failures) if failures > 0 => {
                format!(", {} since", output::count(failures, "wrong code"))
            }
            _ => String::new(),
        };
        output::data(&format!("Known source {source}: last right code {when}{failures}.\n"))?;
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

fn wrong_codes(state: &Map<String, Value>) -> String {
    let failures = details::number(state, "failures").unwrap_or_default();
    if details::flag(state, "locked") {
        return format!(
            "Locked after {} from unknown sources: only known sources can log in, until \"totpctl unlock\".",
            output::count(failures, "wrong code")
        );
    }
    match details::number(state, "retry_after") {
        Some(seconds) => format!(
            "{} in a row: unknown sources wait {}.",
            output::count(failures, "wrong code"),
            output::duration(seconds)
        ),
        None => format!("{} in a row.", output::count(failures, "wrong code")),
    }
}
