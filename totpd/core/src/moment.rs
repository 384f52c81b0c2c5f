//! What a decision about codes asks of its moment.

use crate::void_windows::VoidWindows;

/// The moment of a decision about codes.
#[derive(Clone, Copy, Debug)]
pub struct Moment<'a> {
    /// The time, in seconds since 1970.
    pub now: u64,
    /// What is void then.
    pub voids: &'a VoidWindows,
}
