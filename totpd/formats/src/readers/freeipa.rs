//! The entries of tokens in the directory of FreeIPA, as LDIF (RFC 2849).
//!
//! ```text
//! ldapsearch -D "cn=Directory Manager" -b cn=otp,dc=example,dc=com "(objectClass=ipaToken)"
//! ```
//!
//! The API of FreeIPA never shows seeds; the manager of the directory reads them.

use crate::civil_time::parse_with_zone;
use crate::readers::draft::{ClockDrift, Draft, number};
use crate::readers::freeipa::ldif::{Record, records};
use crate::readers::text;
use crate::reading::{Change, Entry, Place, Reason, Refusal, Rules};

mod ldif;

/// Reads all entries that are tokens.
pub(super) fn read(
    bytes: &[u8],
    _rules: &Rules,
    sink: &mut dyn FnMut(Entry),
) -> Result<(), Refusal> {
    let text = text::decode(bytes)?;
    text::check_lines(text.as_str())?;
    for record in records(text.as_str()) {
        let record = record?;
        if let Some(draft) = draft(&record) {
            sink(draft.into_entry(Place::Line(record.line)));
        }
    }
    Ok(())
}

/// Returns the draft of a token; `None` for an entry that is none.
fn draft(record: &Record) -> Option<Draft> {
    let classes: Vec<_> = record.all("objectclass").map(|class| class.to_lowercase()).collect();
    let is = |name: &str| classes.iter().any(|class| class == name);
    let kind = match () {
        () if is("ipatokentotp") => "totp",
        () if is("ipatokenhotp") => "hotp",
        () if is("ipatoken") => "ipaToken of another type",
        () if record.text("ipatokenotpkey").is_some() => "entry without objectClass",
        () => return None,
    };
    let seed = record.bytes("ipatokenotpkey").ok_or(Reason::NoSeed);
    let mut draft = Draft::new(kind, seed.map(|bytes| zeroize::Zeroizing::new(bytes.to_vec())));
    let text = |name: &str| record.text(name);
    draft.label = text("ipatokenuniqueid").or_else(|| text("description")).unwrap_or_default();
    draft.issuer = text("ipatokenvendor").unwrap_or_default();
    draft.owner = text("ipatokenowner").and_then(|name| user_of(&name));
    draft.algorithm = text("ipatokenotpalgorithm");
    draft.digits = text("ipatokenotpdigits");
    draft.period = text("ipatokentotptimestep");
    draft.counter = text("ipatokenhotpcounter");
    if let Err(reason) = read_state(&mut draft, record) {
        draft.seed = Err(reason);
    }
    Some(draft)
}

fn read_state(draft: &mut Draft, record: &Record) -> Result<(), Reason> {
    if record.text("ipatokendisabled").is_some_and(|value| value.eq_ignore_ascii_case("true")) {
        return Err(Reason::Disabled);
    }
    let malformed = |name: &str| Reason::Malformed(format!("its {name} cannot be read"));
    let time = |name: &str| match record.text(name) {
        None => Ok(None),
        Some(text) => parse_with_zone(&text).map(Some).ok_or_else(|| malformed(name)),
    };
    draft.not_before = time("ipatokennotbefore")?;
    // There the last second is part of the time; here it is not.
    draft.not_after = time("ipatokennotafter")?.map(|last| last.saturating_add(1));
    if draft.kind != "totp" {
        return Ok(());
    }
    if let Some(offset) = record.text("ipatokentotpclockoffset") {
        let seconds = offset.trim().parse().map_err(|_| malformed("ipatokenTOTPclockOffset"))?;
        draft.drift = ClockDrift::Seconds(seconds);
    }
    match record.text("ipatokentotpwatermark") {
        None => draft.changes.push(Change::UsedCodesUnknown),
        Some(text) => {
            // It is the first step that is accepted.
            let first = number(&text).ok_or_else(|| malformed("ipatokenTOTPwatermark"))?;
            draft.last_accepted = first.checked_sub(1);
        }
    }
    Ok(())
}

/// Returns the user of a name like `uid=alice,cn=users,cn=accounts,dc=example,dc=com`.
fn user_of(name: &str) -> Option<String> {
    let (attribute, rest) = name.split_once('=')?;
    let user = rest.split(',').next().unwrap_or_default().trim();
    // A name with an escaped comma is nobody's here.
    (attribute.trim().eq_ignore_ascii_case("uid") && !user.contains(['\\', '+']))
        .then(|| user.to_owned())
}

#[cfg(test)]
mod tests;
