//! Exports that come in several parts.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

/// A part of an export of several QR codes.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
pub struct Part {
    /// The number that the parts of one export share.
    pub batch: i64,
    /// The place of this part, counted from 0.
    pub index: u64,
    /// The number of parts.
    pub of: u64,
}

/// A part that is missing. The place is counted from 1, as people count.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct MissingPart {
    /// The place of the part.
    pub number: u64,
    /// The number of parts.
    pub of: u64,
}

/// Returns the first parts that are missing of the exports whose parts were read, over all files.
#[must_use]
pub fn missing_parts(read: &[Part]) -> Vec<MissingPart> {
    let mut batches = BTreeMap::<_, BTreeSet<u64>>::new();
    for part in read {
        batches.entry((part.batch, part.of)).or_default().insert(part.index);
    }
    let missing = batches.iter().flat_map(|((_, of), found)| {
        let of = *of;
        (0..of)
            .filter(|index| !found.contains(index))
            .map(move |index| MissingPart { number: index + 1, of })
    });
    missing.take(MAX_NAMED).collect()
}

/// A file may claim more parts than anybody would read about.
const MAX_NAMED: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_that_nobody_gave_are_named() {
        let part = |batch, index, of| Part { batch, index, of };
        let missing = |read: &[Part]| {
            missing_parts(read).iter().map(|part| (part.number, part.of)).collect::<Vec<_>>()
        };
        assert_eq!(missing(&[]), []);
        assert_eq!(missing(&[part(-7, 0, 1)]), []);
        assert_eq!(missing(&[part(-7, 0, 3), part(-7, 2, 3)]), [(2, 3)]);
        assert_eq!(missing(&[part(1, 0, 2), part(2, 1, 2)]), [(2, 2), (1, 2)]);
        assert_eq!(missing(&[part(1, 0, u64::MAX)]).len(), MAX_NAMED);
    }
}
