//! What comes of a change: an outcome or a refusal, and the record.

use crate::enrollment;
use crate::record::Record;

/// The reason of a refused change. The factors stay as they are. A code that was shown is used up.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Refusal {
    /// The user has a verified factor, and no code was shown.
    CodeNeeded,
    /// The code that was shown is wrong, or was used before.
    CodeWrong,
    /// Too many wrong codes; the one that was shown was not looked at.
    Throttled,
    /// The present codes of all factors are void; the one that was shown was not looked at.
    CodesVoid,
    /// The user has no factor of this id.
    NoSuchFactor,
    /// The user has no factor of this id, or only its maker and root may remove it.
    NothingRemoved,
    /// The user has no verified factor.
    NotEnrolled,
    /// The factor would end before it starts.
    EndsBeforeStart,
    /// Only a verified factor can be disabled.
    NotVerified,
    /// A pending factor cannot be enabled: its first code is missing.
    StillPending,
    /// The factor is pending, and only its maker and root may change it.
    NotMaker,
    /// A factor cannot be added, or does not become verified.
    Enrollment(enrollment::Refusal),
}

/// The outcome of a change, and the record. The record must be on disk before anybody learns the
/// outcome.
pub type Decision<T> = (Result<T, Refusal>, Record);
