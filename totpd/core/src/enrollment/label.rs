//! The account in the label of a factor. An authenticator app names its entry so, after the issuer.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::factor::{Factor, FactorId};
use crate::record::Record;

/// The factors that a record knew before a new one was added to it.
///
/// Some apps replace an entry by a new one with the same label. The replaced entry may still be the
/// only valid one, because the new factor is pending. So no label is used for two keys.
#[derive(Clone, Debug)]
pub struct LabelHistory {
    factors: Vec<FactorId>,
    has_removed: bool,
}

impl LabelHistory {
    /// Returns the history of `record`.
    #[must_use]
    pub fn from_record(record: &Record) -> Self {
        let factors = record.factors.iter().map(|factor| factor.id.clone()).collect();
        Self { factors, has_removed: !record.spent.is_empty() }
    }

    /// Returns the account in the label of `factor` of the user `name`: the name, and behind it the
    /// id unless the history has no other factor.
    #[must_use]
    pub fn account(&self, name: &str, factor: &Factor) -> String {
        let is_only = !self.has_removed && self.factors.iter().all(|id| *id == factor.id);
        if is_only { name.to_owned() } else { format!("{name} {}", factor.id) }
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;
    use crate::factor::{Kind, Status};
    use crate::fixtures::verified;

    fn factor(id: u8) -> Factor {
        let id = FactorId::from_random([id; 5]);
        Factor { id, ..verified(Kind::Totp { period: 30 }, Some(7)) }
    }

    #[test]
    fn only_the_first_factor_of_a_user_has_the_name_alone() {
        let empty = Record::new(1000);
        let with = |factors| Record { factors, ..Record::new(1000) };
        let pending = Status::Unverified { expires: 9, wrong_codes: 0 };
        let mut removed = with(vec![factor(1)]);
        removed.retire(0, |_| false);
        for (before, expected) in [
            (empty, "alice"),
            // Root is shown the same pending factor again.
            (with(vec![factor(2)]), "alice"),
            (with(vec![factor(1)]), "alice f-aibaeaqc"),
            (with(vec![Factor { status: pending, ..factor(1) }]), "alice f-aibaeaqc"),
            (with(vec![Factor { status: Status::Disabled, ..factor(1) }]), "alice f-aibaeaqc"),
            (with(vec![factor(1), factor(2)]), "alice f-aibaeaqc"),
            (removed, "alice f-aibaeaqc"),
        ] {
            let label = LabelHistory::from_record(&before).account("alice", &factor(2));
            assert_eq!(label, expected, "{before:?}");
        }
    }
}
