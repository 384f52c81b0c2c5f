//! What of a factor can be changed, parsed.

use totpd_core::factor::{Factor, Restrictions, Status};
use totpd_interface::{Dictionary, Error};

use crate::manage::enroll_options::{flag, invalid, limits, name};

/// What of a factor shall be changed.
#[derive(Clone, Debug)]
pub(crate) struct Changes {
    keys: Vec<String>,
    name: String,
    limits: Restrictions,
    disabled: Option<bool>,
}

impl Changes {
    /// Reads the changes. A time of nought and an empty list take a limit away.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] names the key and what it may be.
    pub(crate) fn parse(changes: &Dictionary) -> Result<Self, Error> {
        if let Some(unknown) = changes.keys().find(|key| !KEYS.contains(&key.as_str())) {
            let known = KEYS.join(", ");
            return Err(invalid(&totpd_journal::escaped(unknown), &format!("one of {known}")));
        }
        Ok(Self {
            keys: changes.keys().cloned().collect(),
            name: name(changes, "name")?,
            limits: limits(changes)?,
            disabled: flag(changes, "disabled")?,
        })
    }

    /// Whether nothing but the name is changed.
    #[must_use]
    pub(crate) fn is_a_name_alone(&self) -> bool {
        self.keys == ["name"]
    }

    /// Makes the changes.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] where they do not go together, with nothing changed.
    pub(crate) fn apply(&self, factor: &mut Factor) -> Result<(), Error> {
        let given = |key: &str| self.keys.iter().any(|given| given == key);
        let (old, new) = (factor.limits.clone(), self.limits.clone());
        let limits = Restrictions {
            purpose: if given("purpose") { new.purpose } else { old.purpose },
            not_before: if given("not_before") { new.not_before } else { old.not_before },
            not_after: if given("not_after") { new.not_after } else { old.not_after },
            services: if given("services") { new.services } else { old.services },
        };
        if let (Some(start), Some(end)) = (limits.not_before, limits.not_after)
            && start >= end
        {
            return Err(invalid("not_after", "later than not_before"));
        }
        let status = match (self.disabled, factor.status) {
            (Some(true), Status::Verified) => Status::Disabled,
            (Some(false), Status::Disabled) => Status::Verified,
            (
                Some(true),
                Status::AwaitsLogin { .. } | Status::Unverified { .. } | Status::Unsynchronized,
            ) => {
                return Err(Error::InvalidArgument(
                    "only a verified factor can be disabled".into(),
                ));
            }
            (_, status) => status,
        };
        factor.limits = limits;
        factor.status = status;
        if given("name") {
            factor.name.clone_from(&self.name);
        }
        Ok(())
    }
}

const KEYS: [&str; 6] = ["disabled", "name", "not_after", "not_before", "purpose", "services"];

#[cfg(test)]
mod tests {
    use totpd_core::factor::Kind;
    use totpd_core::fixtures::verified;
    use zbus::Variant;

    use super::*;

    fn parse(entries: &[(&str, Variant<'_>)]) -> Result<Changes, Error> {
        let owned = |value: &Variant<'_>| value.try_to_owned().unwrap();
        let changes = entries.iter().map(|(key, value)| ((*key).to_owned(), owned(value)));
        Changes::parse(&changes.collect())
    }

    #[test]
    fn what_is_named_is_changed_and_nothing_else() {
        let mut factor = verified(Kind::Totp { period: 30 }, None);
        let limits = [("services", vec!["sshd"].into()), ("not_after", 9_u64.into())];
        parse(&limits).unwrap().apply(&mut factor).unwrap();
        parse(&[("name", "Pixel".into())]).unwrap().apply(&mut factor).unwrap();
        assert_eq!((factor.name.as_str(), factor.limits.not_after), ("Pixel", Some(9)));
        assert_eq!(factor.limits.services, ["sshd"]);
        let early = parse(&[("not_before", 9_u64.into())]).unwrap();
        assert!(early.apply(&mut factor).is_err());
        parse(&[("not_after", 0_u64.into())]).unwrap().apply(&mut factor).unwrap();
        assert_eq!((factor.limits.not_before, factor.limits.not_after), (None, None));
    }

    #[test]
    fn only_a_verified_factor_is_disabled_and_enabled_again() {
        let mut factor = verified(Kind::Totp { period: 30 }, None);
        let set = |disabled: bool| parse(&[("disabled", disabled.into())]).unwrap();
        set(true).apply(&mut factor).unwrap();
        assert_eq!(factor.status, Status::Disabled);
        set(false).apply(&mut factor).unwrap();
        assert_eq!(factor.status, Status::Verified);
        for status in [Status::Unsynchronized, Status::Unverified { expires: 9, wrong_codes: 0 }] {
            factor.status = status;
            assert!(set(true).apply(&mut factor).is_err());
            set(false).apply(&mut factor).unwrap();
            assert_eq!(factor.status, status, "enabling is no way to be verified");
        }
    }

    #[test]
    fn a_name_alone_is_told_apart() {
        assert!(parse(&[("name", "x".into())]).unwrap().is_a_name_alone());
        let more = parse(&[("name", "x".into()), ("disabled", false.into())]).unwrap();
        assert!(!more.is_a_name_alone());
        assert!(parse(&[("seed", "x".into())]).is_err());
    }
}
