//! The account that an attempt is about.

use crate::record::Record;
use crate::record_key::RecordKey;

/// The account that an attempt is about, as NSS knows it now.
#[derive(Clone, Debug)]
pub struct Account {
    /// The key of its record.
    pub key: RecordKey,
    /// The uid; `None` if no such user exists.
    pub uid: Option<u32>,
    /// The flag that NSS failed, so that such a user may exist.
    pub is_uncertain: bool,
}

impl Account {
    /// Returns the record to judge by: the stored one, or a new one if none is stored.
    ///
    /// A record without factors takes the present uid, because wrong codes count against the name.
    #[must_use]
    pub fn record<S>(&self, stored: Option<Record<S>>) -> Record<S>
    where
        Record<S>: From<Record>,
    {
        let uid = self.uid.unwrap_or(NO_UID);
        let mut record = stored.unwrap_or_else(|| Record::new(uid).into());
        if record.factors.is_empty() {
            record.uid = uid;
        }
        record
    }

    /// Returns the name as NSS spells it, if the log may show it.
    ///
    /// People type passwords at the prompt for the name, so the log shows no name without an
    /// account.
    #[must_use]
    pub fn loggable(&self) -> Option<&str> {
        match &self.key {
            RecordKey::User(name) => self.uid.map(|_| name.as_str()),
            RecordKey::Bucket(_) => None,
        }
    }

    /// Returns the uid to judge attempts with: [`NO_UID`] if no such user exists.
    #[must_use]
    pub fn current_uid(&self) -> u32 {
        self.uid.unwrap_or(NO_UID)
    }
}

/// The uid that no account has: `(uid_t)-1`, which the kernel gives to no process.
pub const NO_UID: u32 = u32::MAX;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{enrolled, user};
    use crate::seed::Seed;

    #[test]
    fn a_record_without_factors_takes_the_present_uid() {
        let account = Account { key: user("alice"), uid: Some(1000), is_uncertain: false };
        assert_eq!((account.record::<Seed>(None).uid, account.current_uid()), (1000, 1000));
        assert_eq!(account.record(Some(Record::new(7))).uid, 1000);
        assert_eq!(account.record(Some(enrolled(7))).uid, 7);
        let nobody = Account { uid: None, ..account };
        assert_eq!((nobody.record::<Seed>(None).uid, nobody.current_uid()), (NO_UID, NO_UID));
        let somebody = Account { uid: Some(0), ..nobody.clone() };
        assert_eq!((nobody.loggable(), somebody.loggable()), (None, Some("alice")));
    }
}
