//! The ranges of the parameters of a factor, for clients. The core of the daemon has those that
//! decide. No client may depend on it, so a test of the daemon compares them.

use std::ops::RangeInclusive;

/// The number of digits that a code may have.
pub const CODE_DIGITS: RangeInclusive<u32> = 6..=8;

/// The number of seconds that a code may last.
pub const PERIOD_SECONDS: RangeInclusive<u32> = 15..=300;
