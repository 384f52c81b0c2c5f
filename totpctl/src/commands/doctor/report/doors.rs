//! The ways in, for people and for programs.

use serde_json::{Map, Value};
use totpd_journal::escape::escape;

use crate::host::door::{CodeNeed, Door};

/// Returns the section of the ways in, a line each.
pub(crate) fn text(doors: &[Door]) -> String {
    let name = |door: &Door| match &door.who {
        Some(who) => format!("{} ({who})", door.name),
        None => door.name.clone(),
    };
    let width = doors.iter().map(|door| name(door).chars().count()).max().unwrap_or_default();
    let mut lines = String::from("ways in:\n");
    for door in doors {
        let told = match &door.code {
            CodeNeed::Asked => "asks for a code".to_owned(),
            CodeNeed::NotAsked => "does not ask for a code".to_owned(),
            CodeNeed::Unanswerable(reason) => {
                format!("asks for a code that nobody can give: {reason}")
            }
            CodeNeed::Closed(reason) => format!("closed: {reason}"),
            CodeNeed::Unknown(reason) => format!("not known: {reason}"),
        };
        let exceptions = match (door.exceptions.as_slice(), &door.code) {
            ([], _) => String::new(),
            (exceptions, CodeNeed::NotAsked) => format!(" ({})", exceptions.join("; ")),
            (exceptions, _) => format!("; not asked: {}", exceptions.join("; ")),
        };
        let line = format!("{:width$}  {told}{exceptions}", name(door));
        lines.push_str(&format!("  {}\n", escape(&line)));
    }
    lines
}

/// Returns the JSON object: `door`, `code`, `exceptions`, and `service`, `who`, `reason` if
/// there is one.
pub(crate) fn json(door: &Door) -> Value {
    let (code, reason) = door.code.token();
    let mut object = Map::new();
    object.insert("door".into(), door.name.as_str().into());
    object.insert("code".into(), code.into());
    object.insert("exceptions".into(), door.exceptions.clone().into());
    let optional =
        [("service", door.service.as_deref()), ("who", door.who.as_deref()), ("reason", reason)];
    for (key, value) in optional {
        object.extend(value.map(|value| (key.to_owned(), Value::from(value))));
    }
    object.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_way_in_has_a_line() {
        let door = |name: &str, who: Option<&str>, code, exceptions: &[&str]| Door {
            name: name.into(),
            service: None,
            who: who.map(ToOwned::to_owned),
            code,
            exceptions: exceptions.iter().map(|text| (*text).to_owned()).collect(),
        };
        let doors = [
            door("sudo", None, CodeNeed::Asked, &["members of wheel (NOPASSWD, /etc/sudoers:2)"]),
            door("sudo -i", Some("Defaults:bob"), CodeNeed::NotAsked, &[]),
            door("vsftpd", None, CodeNeed::Unanswerable("one\u{1b}[2J prompt".into()), &[]),
        ];
        let expected = "ways in:\n  \
             sudo                    asks for a code; not asked: members of wheel (NOPASSWD, /etc/sudoers:2)\n  \
             sudo -i (Defaults:bob)  does not ask for a code\n  \
             vsftpd                  asks for a code that nobody can give: one\\u{1b}[2J prompt\n";
        assert_eq!(text(&doors), expected);
    }
}
