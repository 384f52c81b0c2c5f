//! The values of options, as totpctl and other front ends send them.

use std::fmt::Display;
use std::ops::RangeInclusive;

use totpd_core::factor::Restrictions;
use totpd_interface::dictionary::{DictReader, InvalidEntry};
use totpd_interface::{Dictionary, Error};
use totpd_journal::escape::{escape, is_unsafe_to_print};

/// Returns a name from a person; empty if there is none. It has no characters that are unsafe to
/// print.
///
/// # Errors
/// [`Error::InvalidArgument`], with the key and what is allowed.
pub(crate) fn name(options: &Dictionary, key: &str) -> Result<String, Error> {
    let name = options.text(key)?.unwrap_or_default();
    if name.len() > MAX_NAME_BYTES || name.chars().any(is_unsafe_to_print) {
        let wanted = "write at most 64 bytes, without control or invisible characters";
        return Err(invalid(key, wanted));
    }
    Ok(name.to_owned())
}

/// Returns the purpose, the times (in seconds since 1970) and the services of a factor.
///
/// # Errors
/// [`Error::InvalidArgument`], with the key and what is allowed.
pub(crate) fn restrictions(options: &Dictionary) -> Result<Restrictions, Error> {
    let time = |key: &str| {
        let wanted = "seconds since 1970, an unsigned 64-bit number";
        let time = options.number64(key).map_err(|_| invalid(key, wanted))?;
        // Zero removes a limit.
        Ok::<_, Error>(time.filter(|time| *time > 0))
    };
    let (not_before, not_after) = (time("not_before")?, time("not_after")?);
    if let (Some(start), Some(end)) = (not_before, not_after)
        && start >= end
    {
        return Err(invalid("not_after", "later than not_before"));
    }
    Ok(Restrictions {
        purpose: name(options, "purpose")?,
        not_before,
        not_after,
        services: services(options)?.iter().map(|name| name.to_ascii_lowercase()).collect(),
    })
}

fn services(options: &Dictionary) -> Result<Vec<String>, Error> {
    let wanted = || invalid("services", "at most 16 names of PAM services");
    let names = options.texts("services").map_err(|_| wanted())?.unwrap_or_default();
    let is_service = |name: &String| {
        let good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '@');
        (1..=64).contains(&name.len()) && name.chars().all(good)
    };
    if names.len() <= 16 && names.iter().all(is_service) { Ok(names) } else { Err(wanted()) }
}

/// Rejects the first key that is not in `known`.
///
/// # Errors
/// [`Error::InvalidArgument`], with the escaped key.
pub(crate) fn reject_unknown(options: &Dictionary, known: &[&str]) -> Result<(), Error> {
    match options.unknown_key(known) {
        None => Ok(()),
        Some(key) => Err(invalid(&escape(key), &format!("one of {}", known.join(", ")))),
    }
}

pub(crate) fn invalid(key: &str, wanted: &str) -> Error {
    InvalidEntry::new(key, wanted).into()
}

/// Returns the words for a range, for [`invalid`].
pub(crate) fn words_of<T: Display>(range: &RangeInclusive<T>) -> String {
    format!("{} to {}", range.start(), range.end())
}

const MAX_NAME_BYTES: usize = 64;
