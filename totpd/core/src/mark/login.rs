//! A login that may lean on a mark.

use crate::mark::row::UsedCode;
use crate::mark::witness::Acceptance;
use crate::record_key::RecordKey;
use crate::verification::Verdict;

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

impl LeaningLogin {
    /// Returns the login of the user with this record, if it was approved at `now` (seconds since
    /// 1970). A recovery code has no factor, so no login by one leans.
    #[must_use]
    pub fn from_verdict(key: &RecordKey, verdict: &Verdict, now: u64) -> Option<Self> {
        let (RecordKey::User(user), Verdict::Approved { factor: Some(factor), used, .. }) =
            (key, verdict)
        else {
            return None;
        };
        let (user, factor, used) = (user.clone(), factor.clone(), (*used)?);
        let acceptance = Acceptance { user, factor, step: used.counter };
        Some(Self { acceptance, used, now })
    }
}
