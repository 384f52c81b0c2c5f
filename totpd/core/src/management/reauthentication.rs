//! What a caller shows before it may change factors.

use crate::management::{Decision, Refusal};
use crate::record::Record;
use crate::verification::{Attempt, Rules, Verdict, verify};

/// What a caller shows. Root and those who manage others show nothing. Everybody else shows a
/// current code if there is a verified factor.
#[derive(Debug)]
pub enum Reauthentication {
    /// A code is needed if there is a verified factor.
    CurrentCode {
        /// The attempt that the code makes; with an empty code one that cannot be right.
        attempt: Attempt,
        /// Whether anything was typed.
        is_given: bool,
        /// What the attempt is judged by.
        rules: Rules,
    },
    /// No code is needed.
    NotNeeded,
}

impl Reauthentication {
    /// Decides by `decide` if what was shown is good. A code that was shown is an attempt like any
    /// other: counted, throttled and used up, whether or not `decide` refuses.
    pub fn then<T>(
        &self,
        record: Record,
        decide: impl FnOnce(Record) -> Decision<T>,
    ) -> Decision<T> {
        match self.check(record) {
            (Ok(()), record) => decide(record),
            (Err(refusal), record) => (Err(refusal), record),
        }
    }

    fn check(&self, record: Record) -> Decision<()> {
        let Self::CurrentCode { attempt, is_given, rules } = self else {
            return (Ok(()), record);
        };
        if !record.is_enrolled() || !record.belongs_to(attempt.uid) {
            return (Ok(()), record);
        }
        if !is_given {
            return (Err(Refusal::CodeNeeded), record);
        }
        let (verdict, record) = verify(record, attempt, rules);
        let checked = match verdict {
            Verdict::Approved { .. } => Ok(()),
            Verdict::Denied(_) => Err(Refusal::CodeWrong),
            Verdict::Throttled { .. } => Err(Refusal::Throttled),
        };
        (checked, record)
    }
}
