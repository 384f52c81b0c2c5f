//! The state of a user as text: each factor, recovery codes, wrong codes and their sources.

use serde_json::{Map, Value};

use crate::client::details;
use crate::host::local_time;
use crate::terminal::output;

/// Returns a block about a factor: its id, name and status, and below them what is known about it.
pub(super) fn factor(factor: &Map<String, Value>) -> String {
    let mut text = format!("{}: {}\n", title(factor), details::text(factor, "status"));
    for line in parameters(factor).into_iter().chain(sentences(factor)) {
        text.push_str(&format!("  {line}\n"));
    }
    text
}

/// Returns how many recovery codes are left.
pub(super) fn recovery_codes(state: &Map<String, Value>) -> String {
    let left = details::number(state, "recovery_codes").unwrap_or_default();
    let advice = match left {
        0 => " New ones: totpctl recovery-codes.",
        _ => "",
    };
    format!("{} left.{advice}\n", output::count(left, "recovery code"))
}

/// Returns the logins that need no code for now, by rules that remember one.
pub(super) fn remembered_logins(state: &Map<String, Value>) -> String {
    let sentence = |login: &Map<String, Value>| {
        let text = |key| details::escape_text(login, key);
        let until = local_time::display_local(details::number(login, "until").unwrap_or_default());
        let more = match details::number(login, "connections") {
            None => String::new(),
            Some(left) => format!(", for {} more", output::count(left, "connection")),
        };
        format!(
            "{} from {}: no code is needed until {until}{more}.\n",
            text("service"),
            text("source")
        )
    };
    details::objects(state, "trust").map(sentence).collect()
}

/// Returns the waits and locks after wrong codes, of unknown and of known sources.
pub(super) fn wrong_codes(state: &Map<String, Value>) -> String {
    let user = details::escape_text(state, "user");
    let mut text = unknown_sources(state) + "\n";
    for source in details::objects(state, "known_sources") {
        text.push_str(&known_source(source, &user));
        text.push('\n');
    }
    text
}

/// Returns the id and the name of a factor.
fn title(factor: &Map<String, Value>) -> String {
    let (id, name) = (details::text(factor, "factor"), details::escape_text(factor, "name"));
    match name.is_empty() {
        true => id,
        false => format!("{id} \"{name}\""),
    }
}

fn parameters(factor: &Map<String, Value>) -> [String; 2] {
    let digits = details::number(factor, "digits").unwrap_or_default();
    let step = match details::number(factor, "period") {
        Some(period) => format!("a code every {period} s"),
        None => "a code each press".into(),
    };
    let kind = details::text(factor, "kind").to_uppercase();
    let algorithm = details::text(factor, "algorithm");
    let created = local_time::display_local(details::number(factor, "created").unwrap_or_default());
    let used = match details::number(factor, "last_used") {
        Some(time) => format!("last used {}{}", local_time::display_local(time), place(factor)),
        None => "never used".into(),
    };
    [format!("{kind}, {algorithm}, {digits} digits, {step}"), format!("created {created}, {used}.")]
}

fn place(factor: &Map<String, Value>) -> String {
    let service = details::escape_text(factor, "last_service");
    let source = details::escape_text(factor, "last_source");
    // A login at this host itself has no address.
    match (service.is_empty(), source.is_empty() || source == "nowhere") {
        (false, true) => format!(" at {service}"),
        (_, true) => String::new(),
        (true, false) => format!(" from {source}"),
        (false, false) => format!(" at {service} from {source}"),
    }
}

/// Returns sentences about limits and peculiarities.
fn sentences(factor: &Map<String, Value>) -> Vec<String> {
    let mut lines = Vec::new();
    let purpose = details::escape_text(factor, "purpose");
    if !purpose.is_empty() {
        lines.push(format!("is for {purpose}."));
    }
    let services = details::texts(factor, "services");
    if !services.is_empty() {
        lines.push(format!("is valid only for {}.", services.join(", ")));
    }
    if details::text(factor, "status") == "unverified" {
        let maker = details::text(factor, "made_by");
        lines.push(format!(
            "was created by {maker} and is pending: only its creator can give its first code."
        ));
    }
    if let Some(time) = details::number(factor, "usable_from") {
        let time = local_time::display_time_of_day(time);
        lines.push(format!("came with an existing secret: its codes are valid from {time} on."));
    }
    if let Some(time) = details::number(factor, "not_before") {
        lines.push(format!("is not valid before {}.", local_time::display_local(time)));
    }
    if let Some(time) = details::number(factor, "not_after") {
        lines.push(format!("is not valid from {} on.", local_time::display_local(time)));
    }
    let steps = factor.get("drift").and_then(Value::as_i64).unwrap_or_default();
    let seconds = steps * details::number(factor, "period").unwrap_or_default().cast_signed();
    if seconds != 0 {
        let side = if seconds < 0 { "slow" } else { "fast" };
        let drift = output::duration(seconds.unsigned_abs());
        lines.push(format!("is about {drift} {side}; totpd corrects for that."));
    }
    lines
}

/// Returns the sentence about all unknown sources together.
fn unknown_sources(state: &Map<String, Value>) -> String {
    let user = details::escape_text(state, "user");
    format!("Unknown sources: {}.", budget_state(state, &user, "wait"))
}

/// Returns the sentence about a source from which `user` logged in.
fn known_source(known: &Map<String, Value>, user: &str) -> String {
    let source = details::escape_text(known, "source");
    let when =
        local_time::display_local(details::number(known, "last_success").unwrap_or_default());
    format!("{source} (known): {}; last right code {when}.", budget_state(known, user, "waits"))
}

/// Returns the wrong codes of one budget of `user`, with its wait or lock. `wait` is the verb of
/// the sentence.
fn budget_state(budget: &Map<String, Value>, user: &str, wait: &str) -> String {
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

    fn object(value: Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn a_factor_is_a_block() {
        let text = factor(&object(json!({
            "factor": "f-aaaaaaaa", "name": "Pixel", "status": "verified", "kind": "totp",
            "algorithm": "SHA1", "digits": 6, "period": 30, "created": 0,
            "services": ["sshd", "sudo"], "drift": -2,
        })));
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines[0], "f-aaaaaaaa \"Pixel\": verified");
        assert_eq!(lines[1], "  TOTP, SHA1, 6 digits, a code every 30 s");
        assert!(
            lines[2].starts_with("  created ") && lines[2].ends_with(", never used."),
            "{text}"
        );
        assert_eq!(lines[3], "  is valid only for sshd, sudo.");
        assert_eq!(lines[4], "  is about 60 s slow; totpd corrects for that.");
        assert_eq!(lines.len(), 5, "{text}");
    }

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

    #[test]
    fn each_remembered_login_has_a_sentence() {
        let login = |connections: Value| {
            let login = json!({
                "service": "sshd", "source": "192.0.2.1", "until": 0, "connections": connections,
            });
            remembered_logins(&object(json!({ "trust": [login] })))
        };
        let remembered = login(Value::Null);
        let start = "sshd from 192.0.2.1: no code is needed until ";
        assert!(remembered.starts_with(start) && remembered.ends_with(".\n"), "{remembered}");
        let burst = login(json!(2));
        assert!(burst.ends_with(", for 2 connections more.\n"), "{burst}");
        assert_eq!(remembered_logins(&object(json!({ "trust": [] }))), "");
    }

    #[test]
    fn a_user_without_recovery_codes_is_told_how_to_get_some() {
        let left = |codes: u64| recovery_codes(&object(json!({ "recovery_codes": codes })));
        assert_eq!(left(1), "1 recovery code left.\n");
        assert!(left(0).contains("totpctl recovery-codes"));
    }
}
