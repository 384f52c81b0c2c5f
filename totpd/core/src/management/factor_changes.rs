//! The changes of a factor: everything but its secret and its parameters.

use alloc::string::String;
use alloc::vec::Vec;

use crate::factor::{Factor, Restrictions, Status};
use crate::management::decision::Refusal;

/// The changes that are asked for; nothing stays as it is.
#[derive(Clone, Debug, Default)]
pub struct FactorChanges {
    /// The name of the factor for people.
    pub name: Option<String>,
    /// The purpose of the factor, in words.
    pub purpose: Option<String>,
    /// The time from which the factor is good, in seconds since 1970. `Some(None)` removes the
    /// limit.
    pub not_before: Option<Option<u64>>,
    /// The time from which the factor is not good any more, in seconds since 1970. `Some(None)`
    /// removes the limit.
    pub not_after: Option<Option<u64>>,
    /// The PAM services for which it is good; none: all of them.
    pub services: Option<Vec<String>>,
    /// True if the factor is disabled.
    pub disabled: Option<bool>,
}

impl FactorChanges {
    /// Reports whether only the name is changed. Users may change the name of their own factors.
    #[must_use]
    pub fn is_name_only(&self) -> bool {
        let Self { name, purpose, not_before, not_after, services, disabled } = self;
        name.is_some()
            && purpose.is_none()
            && not_before.is_none()
            && not_after.is_none()
            && services.is_none()
            && disabled.is_none()
    }

    /// Makes the changes.
    ///
    /// # Errors
    /// [`Refusal::EndsBeforeStart`], [`Refusal::NotVerified`] and [`Refusal::StillPending`], with
    /// nothing changed.
    pub fn apply(&self, factor: &mut Factor) -> Result<(), Refusal> {
        let old = &factor.restrictions;
        let restrictions = Restrictions {
            purpose: self.purpose.as_ref().unwrap_or(&old.purpose).clone(),
            not_before: self.not_before.unwrap_or(old.not_before),
            not_after: self.not_after.unwrap_or(old.not_after),
            services: self.services.as_ref().unwrap_or(&old.services).clone(),
        };
        if let (Some(start), Some(end)) = (restrictions.not_before, restrictions.not_after)
            && start >= end
        {
            return Err(Refusal::EndsBeforeStart);
        }
        factor.status = self.status(factor.status)?;
        factor.restrictions = restrictions;
        if let Some(name) = &self.name {
            factor.name.clone_from(name);
        }
        Ok(())
    }

    /// Returns the status after the change. Enabling never makes a factor verified that was not
    /// verified before.
    fn status(&self, status: Status) -> Result<Status, Refusal> {
        match (self.disabled, status) {
            (Some(true), Status::Verified) => Ok(Status::Disabled),
            (Some(false), Status::Disabled) => Ok(Status::Verified),
            (
                Some(true),
                Status::AwaitsLogin { .. } | Status::Unverified { .. } | Status::Unsynchronized,
            ) => Err(Refusal::NotVerified),
            (Some(false), Status::AwaitsLogin { .. } | Status::Unverified { .. }) => {
                Err(Refusal::StillPending)
            }
            (_, status) => Ok(status),
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::borrow::ToOwned;
    use alloc::vec;

    use super::*;
    use crate::factor::Kind;
    use crate::fixtures::verified;

    fn disable(disabled: bool) -> FactorChanges {
        FactorChanges { disabled: Some(disabled), ..FactorChanges::default() }
    }

    #[test]
    fn only_named_parts_change() {
        let mut factor = verified(Kind::Totp { period: 30 }, None);
        let restrictions = FactorChanges {
            services: Some(vec!["sshd".to_owned()]),
            not_after: Some(Some(9)),
            ..FactorChanges::default()
        };
        restrictions.apply(&mut factor).unwrap();
        let name = FactorChanges { name: Some("Pixel".to_owned()), ..FactorChanges::default() };
        assert!(name.is_name_only() && !restrictions.is_name_only());
        name.apply(&mut factor).unwrap();
        assert_eq!((factor.name.as_str(), factor.restrictions.not_after), ("Pixel", Some(9)));
        assert_eq!(factor.restrictions.services, ["sshd"]);
        let late = FactorChanges { not_before: Some(Some(9)), ..FactorChanges::default() };
        assert_eq!(late.apply(&mut factor), Err(Refusal::EndsBeforeStart));
        let unlimited = FactorChanges { not_after: Some(None), ..FactorChanges::default() };
        unlimited.apply(&mut factor).unwrap();
        assert_eq!((factor.restrictions.not_before, factor.restrictions.not_after), (None, None));
    }

    #[test]
    fn only_a_verified_factor_can_be_disabled() {
        let mut factor = verified(Kind::Totp { period: 30 }, None);
        disable(true).apply(&mut factor).unwrap();
        assert_eq!(factor.status, Status::Disabled);
        disable(false).apply(&mut factor).unwrap();
        assert_eq!(factor.status, Status::Verified);
        for status in [Status::Unsynchronized, Status::Unverified { expires: 9, wrong_codes: 0 }] {
            factor.status = status;
            assert_eq!(disable(true).apply(&mut factor), Err(Refusal::NotVerified));
            let enabled = disable(false).apply(&mut factor);
            let is_pending = matches!(status, Status::Unverified { .. });
            assert_eq!(enabled, if is_pending { Err(Refusal::StillPending) } else { Ok(()) });
            assert_eq!(factor.status, status, "enabling is no way to become verified");
        }
    }

    #[test]
    fn a_refused_change_changes_nothing() {
        let mut factor = verified(Kind::Totp { period: 30 }, None);
        factor.status = Status::Unsynchronized;
        let changes = FactorChanges { name: Some("x".to_owned()), ..disable(true) };
        assert_eq!(changes.apply(&mut factor), Err(Refusal::NotVerified));
        assert_eq!((factor.name.as_str(), factor.status), ("test", Status::Unsynchronized));
    }

    #[test]
    fn a_name_with_any_other_change_is_more_than_a_name() {
        let name = FactorChanges { name: Some("x".to_owned()), ..FactorChanges::default() };
        assert!(!FactorChanges::default().is_name_only());
        for more in [
            FactorChanges { purpose: Some("x".to_owned()), ..name.clone() },
            FactorChanges { not_before: Some(None), ..name.clone() },
            FactorChanges { not_after: Some(None), ..name.clone() },
            FactorChanges { services: Some(Vec::new()), ..name.clone() },
            FactorChanges { disabled: Some(false), ..name.clone() },
        ] {
            assert!(!more.is_name_only(), "{more:?}");
        }
    }
}
