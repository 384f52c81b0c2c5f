//! The code that a caller shows before it may change factors.

use alloc::boxed::Box;

use crate::management::decision::{Decision, Refusal};
use crate::record::Record;
use crate::verification::{Attempt, Rules, Verdict, verify};
use crate::void_windows::VoidWindows;

/// The code that a caller shows. Root and managers of other users show nothing. All other callers
/// show a current code if there is a verified factor.
#[derive(Debug)]
pub enum Reauthentication {
    /// A code is needed if there is a verified factor.
    CurrentCode {
        /// The attempt that the code makes. An attempt with an empty code cannot be right.
        attempt: Box<Attempt>,
        /// True if the caller typed anything.
        is_given: bool,
        /// The rules that judge the attempt.
        rules: Rules,
    },
    /// No code is needed.
    NotNeeded,
}

impl Reauthentication {
    /// Calls `decide` if the shown code is good, outside of `voids`. The code is an attempt like
    /// any other: counted, throttled and used up. This holds even if `decide` refuses.
    pub fn then<T>(
        &self,
        record: Record,
        voids: &VoidWindows,
        decide: impl FnOnce(Record) -> Decision<T>,
    ) -> Decision<T> {
        match self.check(record, voids) {
            (Ok(()), record) => decide(record),
            (Err(refusal), record) => (Err(refusal), record),
        }
    }

    fn check(&self, record: Record, voids: &VoidWindows) -> Decision<()> {
        let Self::CurrentCode { attempt, is_given, rules } = self else {
            return (Ok(()), record);
        };
        if !record.is_enrolled() || !record.belongs_to(attempt.uid) {
            return (Ok(()), record);
        }
        if !is_given {
            return (Err(Refusal::CodeNeeded), record);
        }
        let (verdict, record) = verify(record, attempt, rules, voids);
        let result = match verdict {
            Verdict::Approved { .. } => Ok(()),
            Verdict::Denied(_) => Err(Refusal::CodeWrong),
            Verdict::Throttled { .. } => Err(Refusal::Throttled),
            Verdict::Void { .. } => Err(Refusal::CodesVoid),
        };
        (result, record)
    }
}
