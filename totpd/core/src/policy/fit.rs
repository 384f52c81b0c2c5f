//! Whether a condition of a rule holds, as far as that is known.

/// Whether a condition of a rule holds. The order is that of Kleene's logic: all of several
/// conditions hold as the least of them, one of several holds as the greatest.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Fit {
    /// It does not hold.
    No,
    /// Nobody can tell, because a lookup failed or the source is nowhere.
    Unknown,
    /// It holds.
    Yes,
}

impl From<bool> for Fit {
    fn from(holds: bool) -> Self {
        if holds { Self::Yes } else { Self::No }
    }
}
