//! A list of which one entry has to fit.

use alloc::vec::Vec;

use crate::policy::fit::Fit;

/// A list of which one entry has to fit. It is not empty: an empty list could read as "everybody".
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct OneOf<T>(Vec<T>);

impl<T> OneOf<T> {
    /// Returns the list, or `None` if it is empty.
    #[must_use]
    pub fn new(entries: Vec<T>) -> Option<Self> {
        (!entries.is_empty()).then_some(Self(entries))
    }

    /// Returns the entries.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.0.iter()
    }

    /// Returns each entry as a list of its own.
    pub(super) fn split(&self) -> impl Iterator<Item = Self>
    where
        T: Clone,
    {
        self.0.iter().map(|entry| Self(alloc::vec![entry.clone()]))
    }

    /// Returns the number of entries.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns the best fit of an entry.
    pub(super) fn best_fit(&self, fit: impl Fn(&T) -> Fit) -> Fit {
        let mut best = Fit::No;
        for entry in &self.0 {
            best = best.max(fit(entry));
            if best == Fit::Yes {
                break;
            }
        }
        best
    }

    /// Reports whether one of these entries covers each entry of `other`.
    pub(super) fn covers(&self, other: &Self, covers: impl Fn(&T, &T) -> bool) -> bool {
        other.0.iter().all(|narrow| self.0.iter().any(|wide| covers(wide, narrow)))
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;

    #[test]
    fn the_best_fit_counts_wherever_it_stands() {
        let (no, unknown, yes) = (Fit::No, Fit::Unknown, Fit::Yes);
        for (entries, best) in [
            (vec![no], no),
            (vec![no, unknown], unknown),
            (vec![unknown, no], unknown),
            (vec![no, unknown, yes], yes),
            (vec![yes, unknown, no], yes),
        ] {
            assert_eq!(OneOf::new(entries).unwrap().best_fit(|fit| *fit), best);
        }
    }
}
