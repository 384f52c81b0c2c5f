//! The readers of whole files. [`read`] chooses one by the format.
//!
//! Bytes are hostile. A reader takes memory in proportion to [`Format::max_bytes`], and hands over
//! each entry as it finds it.

use crate::reading::{Entry, Format, Passphrase, Refusal, Rules, Summary};

mod aegis;
mod csv;
mod decryption;
mod draft;
mod freeipa;
mod google_authenticator;
mod json;
mod oath;
mod otpauth;
mod otpauth_migration;
#[cfg(feature = "pictures")]
mod picture;

mod privacyidea;
mod pskc;
mod seed_text;
mod text;

/// Reads a file of `format`, and hands each entry to `sink` in the order of the file.
///
/// # Errors
/// A [`Refusal`] of the whole file. Entries that `sink` got before do not count.
pub fn read(
    format: Format,
    bytes: &[u8],
    passphrase: Option<&Passphrase>,
    rules: &Rules,
    sink: &mut dyn FnMut(Entry),
) -> Result<Summary, Refusal> {
    let limit = format.max_bytes();
    if bytes.len() > limit {
        return Err(Refusal::TooLarge(limit as u64));
    }
    if bytes.is_empty() {
        return Err(Refusal::Empty);
    }
    let mut entries = 0;
    let mut counting = |entry| {
        entries += 1;
        sink(entry);
    };
    let sink = &mut counting;
    let mut parts = Vec::new();
    match format {
        Format::Aegis => aegis::read(bytes, passphrase, rules, sink)?,
        Format::Csv => csv::read(bytes, rules, sink)?,
        Format::FreeIpa => freeipa::read(bytes, rules, sink)?,
        Format::GoogleAuthenticator => google_authenticator::read(bytes, rules, sink)?,
        Format::Oath => oath::read(bytes, rules, sink)?,
        Format::Otpauth => otpauth::read(bytes, rules, sink)?,
        Format::OtpauthMigration => parts = otpauth_migration::read(bytes, rules, sink)?,
        Format::PrivacyIdea => privacyidea::read(bytes, passphrase, rules, sink)?,
        Format::Pskc => pskc::read(bytes, passphrase, rules, sink)?,
    }
    Ok(Summary { entries, parts })
}

#[cfg(test)]
mod hostile;
#[cfg(test)]
mod round_trips;
#[cfg(test)]
mod tests;
