//! What all readers have in common.

use super::*;
use crate::reading::{ImportedFactor, Outcome, Reason};

/// Returns the entries of a file that is not encrypted.
pub(crate) fn entries_of(format: Format, bytes: &[u8], rules: &Rules) -> Vec<Entry> {
    let mut entries = Vec::new();
    let summary = read(format, bytes, None, rules, &mut |entry| entries.push(entry)).unwrap();
    assert_eq!(summary.entries, entries.len() as u64);
    entries
}

/// Returns the factor of the only entry.
pub(crate) fn factor_of(format: Format, bytes: &[u8], rules: &Rules) -> ImportedFactor {
    let mut entries = entries_of(format, bytes, rules);
    assert_eq!(entries.len(), 1);
    match entries.remove(0).outcome {
        Outcome::Factor(factor) => *factor,
        Outcome::Left(reason) => panic!("{reason}"),
    }
}

/// Returns why the only entry was left.
pub(crate) fn left_of(format: Format, bytes: &[u8], rules: &Rules) -> Reason {
    let mut entries = entries_of(format, bytes, rules);
    assert_eq!(entries.len(), 1, "{entries:?}");
    match entries.remove(0).outcome {
        Outcome::Left(reason) => reason,
        Outcome::Factor(factor) => panic!("{factor:?}"),
    }
}
