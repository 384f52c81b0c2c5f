//! A login that may lean on a mark.

use crate::mark::row::UsedCode;
use crate::mark::witness::Acceptance;

/// An approved login by a code of a factor. The store may answer it before its commit is flushed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct LeaningLogin {
    /// What the witness has to name.
    pub acceptance: Acceptance,
    /// What the mark has to allow.
    pub used: UsedCode,
    /// The time that the code was judged by, in seconds since 1970.
    pub now: u64,
}
