//! `totpctl doctor accept`: writes down that findings are meant.

use jiff::civil::Date;
use nix::unistd::{User, getuid};
use serde_json::{Value, json};

use super::acceptance::document::{Acceptance, check_words, with, without};
use super::acceptance::file::{PATH, load, update};
use super::acceptance::judgment::{Judgment, judge};
use super::acceptance::refusal::refuses;
use super::acceptance::subject::Subject;
use crate::cli::{Accept, Place};
use crate::error::Error;
use crate::findings::finding::FindingId;
use crate::terminal::output;

/// Runs the command. `found`: what all present findings are about.
pub(super) fn run(options: &Accept, found: &[Subject], json: bool) -> Result<(), Error> {
    let today = jiff::Zoned::now().date();
    if options.list {
        return list(found, today, json);
    }
    if !options.remove.is_empty() {
        return remove(options, json);
    }
    let reason = options.reason.as_deref().unwrap_or_default();
    check_words(reason).map_err(|fault| Error::Usage(format!("--reason: {fault}")))?;
    let until = options.until.as_deref().map(|text| last_day(text, today)).transpose()?;
    let author = author();
    let mut accepted = Vec::with_capacity(options.ids.len());
    for token in &options.ids {
        let subject = choose(parse_id(token)?, found, &options.place)?;
        accepted.push(Acceptance::new(subject, reason, author.clone(), today, until));
    }
    let changed = update(|text, _| {
        Ok(accepted.iter().fold(text.to_owned(), |text, acceptance| with(&text, acceptance)))
    })?;
    if json {
        let entries: Value = accepted.iter().map(Acceptance::entry).collect();
        return output::json(&json!({ "accepted": entries, "changed": changed }));
    }
    for acceptance in &accepted {
        let until = acceptance.until.map(|day| format!(" until {day}")).unwrap_or_default();
        output::note(&format!("{} is accepted{until}, in {PATH}.", acceptance.place()));
    }
    Ok(())
}

fn parse_id(token: &str) -> Result<FindingId, Error> {
    FindingId::parse(token).ok_or_else(|| {
        Error::Usage(format!(
            "there is no finding {token:?}; totpctl doctor prints the ids in brackets"
        ))
    })
}

/// Parses the last day of an acceptance, which may not be over.
fn last_day(text: &str, today: Date) -> Result<Date, Error> {
    let day: Date = text.parse().map_err(|_| {
        Error::Usage(format!("--until: cannot parse the date {text:?}; write 2027-01-15"))
    })?;
    if day < today {
        return Err(Error::Usage(format!("--until: {day} is over; name a later day")));
    }
    Ok(day)
}

/// Returns the one finding that is meant.
fn choose(id: FindingId, found: &[Subject], place: &Place) -> Result<Subject, Error> {
    if let Some(reason) = refuses(id) {
        let token = id.token();
        return Err(Error::refused(format!("{token} cannot be accepted: {reason}")));
    }
    let is_meant = |subject: &&Subject| {
        subject.id == id
            && place.has(subject.service.as_deref(), subject.file.as_deref(), subject.line)
    };
    let mut candidates: Vec<&Subject> = Vec::new();
    // Two findings with the same subject are one for an acceptance.
    for subject in found.iter().filter(is_meant) {
        if !candidates.contains(&subject) {
            candidates.push(subject);
        }
    }
    match candidates.as_slice() {
        [subject] => Ok((*subject).clone()),
        [] => Err(Error::refused(format!(
            "nothing is accepted: totpctl doctor does not find {} {}",
            id.token(),
            if place.is_any() { "now" } else { "there" }
        ))),
        several => {
            let several: Vec<_> = several.iter().map(ToString::to_string).collect();
            Err(Error::refused(format!(
                "nothing is accepted: there are {} such findings; choose one by --service, --file and --line: {}",
                several.len(),
                several.join("; ")
            )))
        }
    }
}

/// Removes acceptances.
fn remove(options: &Accept, json: bool) -> Result<(), Error> {
    let mut removed: Vec<Acceptance> = Vec::new();
    let changed = update(|text, present| {
        let mut text = text.to_owned();
        for token in &options.remove {
            let id = parse_id(token)?;
            let is_meant = |one: &&Acceptance| {
                one.id == id
                    && options.place.has(one.service.as_deref(), one.file.as_deref(), one.line)
            };
            let chosen: Vec<_> = present.iter().filter(is_meant).collect();
            let Some(first) = chosen.first() else {
                return Err(Error::refused(format!(
                    "{token} is not accepted there; nothing is removed"
                )));
            };
            // A person may have written the same place twice.
            if !chosen.iter().all(|one| one.has_place_of(first)) {
                let places: Vec<_> = chosen.iter().map(|one| one.place()).collect();
                return Err(Error::refused(format!(
                    "nothing is removed: choose one by --service, --file and --line: {}",
                    places.join("; ")
                )));
            }
            for one in chosen {
                text = without(&text, one);
                removed.push(one.clone());
            }
        }
        Ok(text)
    })?;
    if json {
        let entries: Value = removed.iter().map(Acceptance::entry).collect();
        return output::json(&json!({ "removed": entries, "changed": changed }));
    }
    for acceptance in &removed {
        output::note(&format!("{} is no longer accepted.", acceptance.place()));
    }
    Ok(())
}

/// Lists all acceptances.
fn list(found: &[Subject], today: Date, json: bool) -> Result<(), Error> {
    let acceptances = load().map_err(Error::refused)?;
    let mut rows = Vec::with_capacity(acceptances.len());
    for acceptance in &acceptances {
        let state = state(acceptance, found, today);
        if json {
            let mut object = acceptance.entry();
            object.insert("state".into(), state.into());
            output::json(&object.into())?;
            continue;
        }
        let until = acceptance.until.map_or("-".into(), |day| day.to_string());
        let author = format!("{} on {}", acceptance.by, acceptance.date);
        let reason = acceptance.reason.clone();
        rows.push(vec![acceptance.place(), state.into(), until, author, reason]);
    }
    if json || (rows.is_empty() && !output::is_terminal()) {
        return Ok(());
    }
    if rows.is_empty() {
        return output::data("No finding is accepted.\n");
    }
    output::table(&["FINDING", "STATE", "UNTIL", "BY", "REASON"], rows)
}

/// Returns whether an acceptance is in force, as a token.
fn state(acceptance: &Acceptance, found: &[Subject], today: Date) -> &'static str {
    let one = std::slice::from_ref(acceptance);
    let judgments: Vec<_> = found.iter().map(|subject| judge(subject, one, today, found)).collect();
    let has = |wanted: fn(&Judgment<'_>) -> bool| judgments.iter().any(wanted);
    if has(|judgment| matches!(judgment, Judgment::Accepted(_))) {
        "in-force"
    } else if acceptance.until.is_some_and(|day| day < today) {
        "expired"
    } else if has(|judgment| matches!(judgment, Judgment::Changed(_) | Judgment::Moved(_))) {
        "changed"
    } else {
        "unused"
    }
}

/// Returns the user who logged in, also behind sudo and su.
fn author() -> String {
    // The kernel keeps this number of a login; it is -1 where nobody logged in.
    let login = std::fs::read_to_string("/proc/self/loginuid").unwrap_or_default();
    let login = login.trim().parse().ok().filter(|uid: &u32| *uid != u32::MAX);
    let uid = login.map_or_else(getuid, nix::unistd::Uid::from_raw);
    match User::from_uid(uid) {
        Ok(Some(user)) => user.name,
        _ => format!("uid {uid}"),
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn subject(service: &str, line: usize) -> Subject {
        Subject {
            id: FindingId::StackSkipsCode,
            service: Some(service.into()),
            file: Some(format!("/etc/pam.d/{service}")),
            line: Some(line),
            module: None,
            sha256: "0a".repeat(32),
        }
    }

    fn place(service: Option<&str>, file: Option<&str>, line: Option<usize>) -> Place {
        let text = |text: Option<&str>| text.map(ToOwned::to_owned);
        Place { service: text(service), file: text(file), line }
    }

    #[test]
    fn exactly_one_finding_is_accepted() {
        let found = [subject("sshd", 1), subject("sudo", 1), subject("sudo", 2)];
        let choose = |place: Place| choose(FindingId::StackSkipsCode, &found, &place);
        assert_eq!(choose(place(Some("sshd"), None, None)).unwrap(), found[0]);
        let sudo = "/etc/pam.d/sudo";
        assert_eq!(choose(place(None, Some(sudo), Some(2))).unwrap(), found[2]);
        let several = choose(place(None, None, None)).unwrap_err().to_string();
        assert!(several.contains("3 such findings") && several.contains("sudo:2"), "{several}");
        let none = choose(place(Some("login"), None, None)).unwrap_err().to_string();
        assert!(none.contains("does not find stack-skips-code there"), "{none}");
    }

    #[test]
    fn what_is_refused_is_not_accepted() {
        let any = place(None, None, None);
        for id in FindingId::ALL {
            let chosen = choose(*id, &[Subject { id: *id, ..subject("sshd", 1) }], &any);
            match (refuses(*id), chosen) {
                (None, chosen) => assert_eq!(chosen.unwrap().id, *id),
                (Some(reason), chosen) => {
                    let expected = format!("{} cannot be accepted: {reason}", id.token());
                    assert_eq!(chosen.unwrap_err().to_string(), expected);
                }
            }
        }
    }

    #[test]
    fn the_last_day_may_be_today() {
        let today = date(2026, 11, 26);
        assert_eq!(last_day("2026-11-26", today).unwrap(), today);
        for text in ["2026-11-25", "tomorrow", "2026-13-01"] {
            assert!(last_day(text, today).is_err(), "{text}");
        }
    }

    #[test]
    fn the_list_tells_the_state() {
        let (found, today) = ([subject("sshd", 1)], date(2026, 11, 26));
        let accept =
            |subject, until| Acceptance::new(subject, "meant", "alice".into(), today, until);
        let over = Some(date(2026, 11, 25));
        let changed = Subject { sha256: "0b".repeat(32), ..subject("sshd", 1) };
        for (acceptance, expected) in [
            (accept(subject("sshd", 1), None), "in-force"),
            (accept(subject("sshd", 1), over), "expired"),
            (accept(changed, None), "changed"),
            (accept(subject("sudo", 1), None), "unused"),
        ] {
            assert_eq!(state(&acceptance, &found, today), expected);
        }
    }
}
