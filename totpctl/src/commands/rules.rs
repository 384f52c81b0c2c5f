//! `totpctl rules`: the rules that say which logins need a code.

use std::fs::File;
use std::os::fd::AsFd as _;
use std::path::Path;

use serde_json::{Map, Value};
use zbus::Fd;

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
    warn(&result);
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

/// Compares a file with the rules in force.
pub(super) fn check(file: Option<&Path>, json: bool) -> Result<(), Error> {
    // Without a file, the daemon reads nothing of the other one.
    let content = file.unwrap_or(Path::new("/dev/null"));
    let opened = File::open(content)
        .map_err(|error| Error::refused(format!("cannot read {}: {error}", content.display())))?;
    let path = file.map(Path::to_string_lossy).unwrap_or_default();
    let client = Client::connect()?;
    client.check_passes_descriptors()?;
    let content = Fd::from(opened.as_fd());
    let result = client.manager(async |totpd| totpd.check_rules(&path, content).await)?;
    let result = details::object(&result);
    let changes: Vec<_> = details::objects(&result, "changes").collect();
    match json {
        true => output::json(&Value::from(result.clone()))?,
        false => print(&result, &changes)?,
    }
    match changes.is_empty() {
        true => Ok(()),
        false => Err(Error::Differs),
    }
}

/// Says what may be wrong with the rules.
fn warn(result: &Map<String, Value>) {
    for warning in details::texts(result, "warnings") {
        output::note(&format!("totpctl: warning: {warning}"));
    }
}

fn print(result: &Map<String, Value>, changes: &[&Map<String, Value>]) -> Result<(), Error> {
    warn(result);
    if !details::flag(result, "whole") {
        output::note(
            "totpctl: there are too many users: only some who have a factor were compared",
        );
    }
    let waiting = details::texts(result, "needs_restart");
    if !waiting.is_empty() {
        output::note(&format!(
            "totpctl: only rules change while totpd runs; these wait for a restart: {}",
            waiting.join(", ")
        ));
    }
    if changes.is_empty() {
        return output::lines("No login would need anything else than now.\n");
    }
    let row = |change: &&Map<String, Value>| {
        let list = |key| match output::join_first(&details::texts(change, key), MAX_NAMES) {
            (names, 0) => names,
            (names, more) => format!("{names} and {more} more"),
        };
        let need = |what: &str| {
            let rule = details::text(change, &format!("rule_{what}"));
            match rule.as_str() {
                "" => details::text(change, what),
                rule => format!("{} (rule {rule})", details::text(change, what)),
            }
        };
        [list("users"), list("services"), list("from"), need("before"), need("after")]
            .map(|text| totpd_journal::escape::escape(&text).into_owned())
            .to_vec()
    };
    let rows = changes.iter().map(row).collect();
    output::table(&["users", "services", "from", "now", "then"], rows)
}

/// The names of a list that are shown.
const MAX_NAMES: usize = 8;
