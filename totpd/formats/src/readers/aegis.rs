//! The vault of the app Aegis: JSON, plain or encrypted under a passphrase.
//!
//! The passphrase opens a slot (scrypt), the slot has the master key (AES-256-GCM), and the master
//! key opens the entries (AES-256-GCM).

use serde::Deserialize;

use crate::readers::aegis::vault::Header;
use crate::readers::draft::{Draft, number};
use crate::readers::json::{Bounded, Loose, refusal};
use crate::readers::seed_text::base32;
use crate::readers::text;
use crate::reading::{Change, Entry, Passphrase, Place, Reason, Refusal, Rules};

mod vault;

/// Reads all entries of a vault.
pub(super) fn read(
    bytes: &[u8],
    passphrase: Option<&Passphrase>,
    _rules: &Rules,
    sink: &mut dyn FnMut(Entry),
) -> Result<(), Refusal> {
    let text = text::decode(bytes)?;
    let text = text.as_str();
    let outline: Outline = serde_json::from_str(text).map_err(|error| refusal(&error))?;
    if outline.version != 1 {
        return Err(Refusal::UnknownVersion(outline.version.to_string()));
    }
    let content = if outline.header.is_plain() {
        let plain: Plain = serde_json::from_str(text).map_err(|error| refusal(&error))?;
        plain.db
    } else {
        let sealed: Sealed = serde_json::from_str(text).map_err(|error| refusal(&error))?;
        let passphrase = passphrase.ok_or(Refusal::WantsPassphrase)?;
        let opened = vault::open(&outline.header, &sealed.db, passphrase)?;
        serde_json::from_slice(&opened).map_err(|error| refusal(&error))?
    };
    if !matches!(content.version, 1..=3) {
        return Err(Refusal::UnknownVersion(content.version.to_string()));
    }
    for (token, number) in content.entries.0.into_iter().zip(1..) {
        sink(token.draft().into_entry(Place::Entry(number)));
    }
    Ok(())
}

/// A vault without its content.
#[derive(Deserialize)]
struct Outline {
    version: u64,
    header: Header,
}

/// A vault that is not encrypted.
#[derive(Deserialize)]
struct Plain {
    db: Content,
}

/// A vault that is encrypted.
#[derive(Deserialize)]
struct Sealed {
    db: String,
}

#[derive(Deserialize)]
struct Content {
    version: u64,
    entries: Bounded<Token>,
}

#[derive(Deserialize)]
struct Token {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    name: Loose,
    #[serde(default)]
    issuer: Loose,
    info: Info,
}

#[derive(Deserialize)]
struct Info {
    #[serde(default)]
    secret: Loose,
    #[serde(default)]
    algo: Loose,
    #[serde(default)]
    digits: Loose,
    #[serde(default)]
    period: Loose,
    #[serde(default)]
    counter: Loose,
}

impl Token {
    fn draft(self) -> Draft {
        let seed = self.info.secret.text().ok_or(Reason::NoSeed).and_then(base32);
        let mut draft = Draft::new(&self.kind, seed);
        draft.label = self.name.owned().unwrap_or_default();
        draft.issuer = self.issuer.owned().unwrap_or_default();
        draft.algorithm = self.info.algo.owned();
        draft.digits = self.info.digits.owned();
        draft.period = self.info.period.owned();
        // The app shows the code of its counter, so that one may be used.
        draft.last_accepted = self.info.counter.text().and_then(number);
        draft.counter = self.info.counter.owned();
        if self.kind != "hotp" {
            draft.last_accepted = None;
            draft.changes.push(Change::UsedCodesUnknown);
        }
        draft
    }
}

#[cfg(test)]
mod tests;
