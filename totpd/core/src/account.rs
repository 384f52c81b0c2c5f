//! Whose record an attempt is about.

use crate::record::Record;
use crate::record_key::RecordKey;

/// Whose record an attempt is about, and the uid that the name has now.
#[derive(Clone, Debug)]
pub struct Account {
    /// Whose record.
    pub key: RecordKey,
    /// The uid; nothing if there is no such user.
    pub uid: Option<u32>,
}

impl Account {
    /// The record as it is to be judged: a new one where there is none, and where there is
    /// nothing but wrong codes in it, under the uid of today.
    #[must_use]
    pub fn record(&self, stored: Option<Record>) -> Record {
        let uid = self.uid.unwrap_or(NO_UID);
        let mut record = stored.unwrap_or_else(|| Record::new(uid));
        if record.factors.is_empty() {
            record.uid = uid;
        }
        record
    }

    /// The name as NSS spells it, if a log may have it. People type passwords where a login asks for the name, so what
    /// leads to no account is in no log.
    #[must_use]
    pub fn loggable(&self) -> Option<&str> {
        match &self.key {
            RecordKey::User(name) => self.uid.map(|_| name.as_str()),
            RecordKey::Bucket(_) => None,
        }
    }

    /// The uid that attempts are judged with.
    #[must_use]
    pub fn current_uid(&self) -> u32 {
        self.uid.unwrap_or(NO_UID)
    }
}

/// The uid of nobody at all: (uid_t)-1, which no process can have.
pub const NO_UID: u32 = u32::MAX;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{enrolled, user};

    #[test]
    fn a_record_with_factors_keeps_its_uid_and_one_without_has_that_of_today() {
        let target = Account { key: user("alice"), uid: Some(1000) };
        assert_eq!((target.record(None).uid, target.current_uid()), (1000, 1000));
        assert_eq!(target.record(Some(Record::new(7))).uid, 1000);
        assert_eq!(target.record(Some(enrolled(7))).uid, 7);
        let nobody = Account { uid: None, ..target };
        assert_eq!((nobody.record(None).uid, nobody.current_uid()), (NO_UID, NO_UID));
        let somebody = Account { uid: Some(0), ..nobody.clone() };
        assert_eq!((nobody.loggable(), somebody.loggable()), (None, Some("alice")));
    }
}
