//! Portable Symmetric Key Container (RFC 6030): XML, plain or encrypted.
//!
//! The MAC of a seed is checked before it is decrypted. privacyIDEA writes the format too, with
//! names in lower case and with other meanings of two values.

use crate::readers::pskc::document::Document;
use crate::readers::pskc::key::draft;
use crate::readers::pskc::protection::Protection;
use crate::readers::text;
use crate::reading::{Entry, Passphrase, Place, Refusal, Rules};

mod document;
mod element;
mod key;
mod protection;
mod secret;

/// Reads all packages of a container.
pub(super) fn read(
    bytes: &[u8],
    passphrase: Option<&Passphrase>,
    rules: &Rules,
    sink: &mut dyn FnMut(Entry),
) -> Result<(), Refusal> {
    let text = text::decode(bytes)?;
    let (head, mut document) = Document::read(text.as_str())?;
    if !head.is("KeyContainer") {
        return Err(Refusal::Syntax("its first element is no KeyContainer".to_owned()));
    }
    let protection = Protection::read(&head, passphrase)?;
    let mut number = 0;
    while let Some(package) = document.next_package()? {
        number += 1;
        sink(draft(&package, &protection, rules).into_entry(Place::Entry(number)));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
