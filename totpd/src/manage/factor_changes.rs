//! The changes that `SetFactor` takes, parsed.

use totpd_core::management::FactorChanges;
use totpd_interface::dictionary::DictReader as _;
use totpd_interface::{Dictionary, Error};

use crate::factors::option_values::{name, reject_unknown, restrictions};

/// Reads the changes. A time of 0 and an empty list remove a limit.
///
/// # Errors
/// [`Error::InvalidArgument`], with the key and its allowed values.
pub(crate) fn parse(changes: &Dictionary) -> Result<FactorChanges, Error> {
    reject_unknown(changes, &KEYS)?;
    let restrictions = restrictions(changes)?;
    let is_given = |key: &str| changes.contains_key(key);
    Ok(FactorChanges {
        name: is_given("name").then(|| name(changes, "name")).transpose()?,
        purpose: is_given("purpose").then_some(restrictions.purpose),
        not_before: is_given("not_before").then_some(restrictions.not_before),
        not_after: is_given("not_after").then_some(restrictions.not_after),
        services: is_given("services").then_some(restrictions.services),
        disabled: changes.flag("disabled")?,
    })
}

const KEYS: [&str; 6] = ["disabled", "name", "not_after", "not_before", "purpose", "services"];

#[cfg(test)]
mod tests {
    use zbus::Variant;

    use super::*;

    fn parsed(entries: &[(&str, Variant<'_>)]) -> Result<FactorChanges, Error> {
        let owned = |value: &Variant<'_>| value.try_to_owned().unwrap();
        let changes = entries.iter().map(|(key, value)| ((*key).to_owned(), owned(value)));
        parse(&changes.collect())
    }

    #[test]
    fn only_named_parts_change() {
        let changes = parsed(&[("not_after", 0_u64.into()), ("purpose", "".into())]).unwrap();
        assert_eq!((changes.not_after, changes.not_before), (Some(None), None));
        assert_eq!((changes.purpose.as_deref(), changes.name), (Some(""), None));
    }

    #[test]
    fn a_name_alone_is_recognized() {
        assert!(parsed(&[("name", "x".into())]).unwrap().is_name_only());
        let more = parsed(&[("name", "x".into()), ("disabled", false.into())]).unwrap();
        assert!(!more.is_name_only());
    }

    #[test]
    fn services_are_in_lower_case() {
        let changes = parsed(&[("services", vec!["SUDO", "su-l"].into())]).unwrap();
        assert_eq!(changes.services.unwrap(), ["sudo", "su-l"]);
    }

    #[test]
    fn an_unknown_key_is_refused() {
        assert!(parsed(&[("seed", "x".into())]).is_err());
    }
}
