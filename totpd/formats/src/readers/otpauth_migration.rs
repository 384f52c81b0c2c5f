//! The export of the Google app: links of the form `otpauth-migration://offline?data=`, or pictures
//! of their QR codes.
//!
//! There is no official description. The fields are those that the programs agree on which read it.
//! An export of more than about ten accounts comes in several links.

use zeroize::Zeroizing;

use crate::import::otpauth_uri::{EXPORT_SCHEME, parameters, starts_with};
use crate::readers::draft::Draft;
use crate::readers::otpauth_migration::protobuf::{Field, Fields};
use crate::readers::seed_text::base64;
use crate::readers::text;
use crate::reading::{Change, Entry, Part, Place, Reason, Refusal, Rules};

mod protobuf;

/// Reads the links of a text, one a line, or of the QR codes of a picture.
pub(super) fn read(
    bytes: &[u8],
    _rules: &Rules,
    sink: &mut dyn FnMut(Entry),
) -> Result<Vec<Part>, Refusal> {
    let mut number = 0;
    let mut parts = Vec::new();
    if bytes.starts_with(PNG) {
        for link in qr_codes(bytes)? {
            parts.push(read_link(&link, &mut number, sink)?);
        }
        return Ok(parts);
    }
    let text = text::decode(bytes)?;
    text::check_lines(text.as_str())?;
    for (_, line, _) in text::lines(text.as_str()) {
        let line = line.trim();
        if !line.is_empty() && !line.starts_with('#') {
            parts.push(read_link(line, &mut number, sink)?);
        }
    }
    Ok(parts)
}

#[cfg(feature = "pictures")]
fn qr_codes(bytes: &[u8]) -> Result<Vec<Zeroizing<String>>, Refusal> {
    crate::readers::picture::qr_codes(bytes)
}

#[cfg(not(feature = "pictures"))]
fn qr_codes(_bytes: &[u8]) -> Result<Vec<Zeroizing<String>>, Refusal> {
    Err(Refusal::NotBuilt)
}

fn read_link(link: &str, number: &mut u64, sink: &mut dyn FnMut(Entry)) -> Result<Part, Refusal> {
    if !starts_with(link, EXPORT_SCHEME) {
        return Err(syntax("a line is no otpauth-migration link"));
    }
    let parameters = parameters(link).map_err(|error| Refusal::Syntax(error.to_string()))?;
    let data = parameters.iter().find(|(key, _)| key == "data").map(|(_, value)| value);
    // A plus sign that a form decoded is a blank. The alphabet for names of files occurs too.
    let data = data.ok_or_else(|| syntax("a link has no data"))?;
    let mut standard = Zeroizing::new(String::with_capacity(data.len() + 3));
    standard.extend(data.chars().map(|c| match c {
        ' ' | '-' => '+',
        '_' => '/',
        other => other,
    }));
    while !standard.len().is_multiple_of(4) {
        standard.push('=');
    }
    let payload = base64(&standard).ok_or_else(|| syntax("the data of a link is not base64"))?;
    read_payload(&payload, number, sink)
}

/// Reads the message of one link. Its entries are handed over if all of it can be read.
fn read_payload(
    payload: &[u8],
    number: &mut u64,
    sink: &mut dyn FnMut(Entry),
) -> Result<Part, Refusal> {
    let mut part = Part { batch: 0, index: 0, of: 1 };
    let mut drafts = Vec::new();
    for field in Fields::of(payload) {
        match field.ok_or_else(cut)? {
            (1, Field::Bytes(bytes)) => drafts.push(draft(bytes).ok_or_else(cut)?),
            (2, Field::Number(version)) if !matches!(version, 0..=2) => {
                return Err(Refusal::UnknownVersion(version.to_string()));
            }
            (3, Field::Number(of)) => part.of = of,
            (4, Field::Number(index)) => part.index = index,
            (5, Field::Number(batch)) => part.batch = batch.cast_signed(),
            _ => {}
        }
    }
    if part.index >= part.of.max(1) {
        return Err(syntax("a part has a number beyond that of all parts"));
    }
    for draft in drafts {
        *number += 1;
        sink(draft.into_entry(Place::Entry(*number)));
    }
    Ok(part)
}

fn draft(message: &[u8]) -> Option<Draft> {
    let mut draft = Draft::new("unspecified", Err(Reason::NoSeed));
    draft.changes.push(Change::UsedCodesUnknown);
    let mut counter = None;
    for field in Fields::of(message) {
        match field? {
            (1, Field::Bytes([])) => {}
            (1, Field::Bytes(secret)) => draft.seed = Ok(Zeroizing::new(secret.to_vec())),
            (2, Field::Bytes(name)) => draft.label = String::from_utf8_lossy(name).into_owned(),
            (3, Field::Bytes(issuer)) => {
                draft.issuer = String::from_utf8_lossy(issuer).into_owned()
            }
            (4, Field::Number(hash)) => {
                draft.algorithm = match hash {
                    0 | 1 => None,
                    2 => Some("SHA256".to_owned()),
                    3 => Some("SHA512".to_owned()),
                    4 => Some("MD5".to_owned()),
                    other => Some(other.to_string()),
                };
            }
            (5, Field::Number(digits)) => {
                draft.digits = match digits {
                    0 | 1 => None,
                    2 => Some("8".to_owned()),
                    3 => Some("7".to_owned()),
                    other => Some(format!("kind {other}")),
                };
            }
            (6, Field::Number(kind)) => {
                draft.kind = match kind {
                    1 => "hotp".to_owned(),
                    2 => "totp".to_owned(),
                    other => format!("kind {other}"),
                };
            }
            (7, Field::Number(value)) => counter = Some(value),
            _ => {}
        }
    }
    if draft.kind == "hotp" {
        // The app counts before it shows a code, so this one was shown. A field of 0 is left out.
        draft.last_accepted = Some(counter.unwrap_or(0));
        draft.changes.clear();
    }
    let account =
        draft.label.split_once(':').map(|(issuer, account)| (issuer.trim(), account.trim()));
    if let Some((issuer, account)) = account {
        let is_named = draft.issuer.is_empty() || draft.issuer.trim() == issuer;
        let (issuer, account) = (issuer.to_owned(), account.to_owned());
        if is_named {
            (draft.issuer, draft.label) = (issuer, account);
        }
    }
    Some(draft)
}

fn cut() -> Refusal {
    syntax("the data of a link is no export, or is cut")
}

fn syntax(what: &str) -> Refusal {
    Refusal::Syntax(what.to_owned())
}

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";

#[cfg(test)]
mod tests;
