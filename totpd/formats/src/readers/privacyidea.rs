//! The exports of privacyIDEA: encrypted JSON, YAML, a list without names, or PSKC.
//!
//! `pi-tokenjanitor find export` writes each of them. What the first bytes are tells which.

use crate::readers::draft::Draft;
use crate::readers::json::{Bounded, MAX_ITEMS, refusal};
use crate::readers::privacyidea::token::Token;
use crate::readers::seed_text::Column;
use crate::readers::{pskc, text};
use crate::reading::{Entry, Passphrase, Place, Refusal, Rules};

mod fernet;
mod list;
mod token;
mod yaml;

/// Reads all tokens.
pub(super) fn read(
    bytes: &[u8],
    passphrase: Option<&Passphrase>,
    rules: &Rules,
    sink: &mut dyn FnMut(Entry),
) -> Result<(), Refusal> {
    let text = text::decode(bytes)?;
    let text = text.as_str();
    let start = text.trim_start();
    let tokens = if start.starts_with('<') {
        return pskc::read(bytes, passphrase, rules, sink);
    } else if start.starts_with(fernet::START) {
        let opened = fernet::open(start.trim_end(), passphrase)?;
        json(&opened)?
    } else if start.starts_with('[') {
        json(start.as_bytes())?
    } else if start.starts_with("- ") {
        yaml::tokens(text)?
    } else {
        list::tokens(text)?
    };
    if tokens.len() > MAX_ITEMS {
        return Err(Refusal::Syntax(format!("it has more than {MAX_ITEMS} tokens")));
    }
    let mut form = Column::default();
    for token in tokens.iter().filter(|token| token.is_oath()) {
        form.observe(token.seed.text().unwrap_or_default());
    }
    for (token, number) in tokens.into_iter().zip(1..) {
        let draft: Draft = token.draft(form);
        sink(draft.into_entry(Place::Entry(number)));
    }
    Ok(())
}

fn json(bytes: &[u8]) -> Result<Vec<Token>, Refusal> {
    let tokens: Bounded<Token> = serde_json::from_slice(bytes).map_err(|error| refusal(&error))?;
    Ok(tokens.0)
}

#[cfg(test)]
mod tests;
