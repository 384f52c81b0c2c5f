//! `totpctl rules`: the rules that say which logins need a code.

use serde_json::Value;

use crate::client::{Client, details};
use crate::error::Error;
use crate::terminal::output;

/// Has totpd put the rules of its files in force.
pub(super) fn reload(json: bool) -> Result<(), Error> {
    let client = Client::connect()?;
    let result = client.manager(async |totpd| totpd.reload().await)?;
    let result = details::object(&result);
    if json {
        return output::json(&Value::from(result));
    }
    for warning in details::texts(&result, "warnings") {
        output::note(&format!("totpctl: warning: {warning}"));
    }
    let waiting = details::texts(&result, "needs_restart");
    if !waiting.is_empty() {
        output::note(&format!(
            "totpctl: only rules change while totpd runs; restart it for: {}",
            waiting.join(", ")
        ));
    }
    output::note(&match details::number(&result, "rules").unwrap_or_default() {
        0 => "No rule is in force: every login needs a code.".to_owned(),
        1 => "1 rule is in force.".to_owned(),
        count => format!("{count} rules are in force."),
    });
    Ok(())
}
