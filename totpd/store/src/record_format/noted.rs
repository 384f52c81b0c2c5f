//! The verdicts of shadow mode, behind a record. Most records have none, and end before. An older
//! version does not look there, and forgets them when it next writes the record.

use postcard::{from_bytes, take_from_bytes};
use serde::{Serialize, Serializer};
use totpd_core::shadow::Shadow;

use crate::record_format::versions::Record4;

/// The verdicts, which are no bytes if there are none.
pub(super) struct Noted<'a>(pub(super) &'a Shadow);

impl Serialize for Noted<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0.is_empty() {
            true => serializer.serialize_unit(),
            false => self.0.serialize(serializer),
        }
    }
}

/// Reads a record, and the verdicts behind it. No login fails for verdicts that cannot be read.
pub(super) fn record(plain: &[u8]) -> Option<(Record4<'static>, Shadow)> {
    let (record, behind) = take_from_bytes(plain).ok()?;
    let shadow =
        if behind.is_empty() { Shadow::default() } else { from_bytes(behind).unwrap_or_default() };
    Some((record, shadow))
}

impl From<Record4<'static>> for (Record4<'static>, Shadow) {
    fn from(record: Record4<'static>) -> Self {
        (record, Shadow::default())
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use postcard::to_stdvec;
    use totpd_core::fixtures::enrolled;
    use totpd_core::record::Record;

    use super::*;

    fn format(record: &Record) -> Record4<'_> {
        let Ok(format) =
            Record4::from_record(record, |factor| Ok::<_, Infallible>(factor.seed.bytes().into()));
        format
    }

    fn written(record: &Record) -> Vec<u8> {
        to_stdvec(&(format(record), Noted(&record.shadow))).unwrap()
    }

    #[test]
    fn a_record_without_verdicts_has_the_bytes_of_before() {
        let plain = enrolled(1000);
        let before = to_stdvec(&format(&plain)).unwrap();
        assert_eq!(written(&plain), before);
        assert_eq!(record(&before).unwrap().1, Shadow::default());
        let mut noted = plain;
        noted.shadow.agreed = 300;
        let bytes = written(&noted);
        assert!(bytes.starts_with(&before));
        assert_eq!(record(&bytes).unwrap().1, noted.shadow);
        assert_eq!(from_bytes::<Record4<'_>>(&bytes).ok().map(|_| ()), Some(()));
    }

    #[test]
    fn verdicts_that_cannot_be_read_are_none() {
        let mut bytes = written(&enrolled(1000));
        bytes.extend([0xff; 5]);
        assert_eq!(record(&bytes).unwrap().1, Shadow::default());
    }
}
