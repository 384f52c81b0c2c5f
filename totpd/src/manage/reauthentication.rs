//! What a caller has to show before it may change factors: root, and whoever manages others, nothing;
//! everybody else a current code, where there is a verified factor.

use totpd_core::account::Account;
use totpd_core::record::Record;
use totpd_core::source::Source;
use totpd_core::verification::{Attempt, Rules, Verdict, verify};
use totpd_interface::Error;

use crate::access::caller::Caller;
use crate::daemon::Daemon;
use crate::host::clock;

/// What a caller has shown.
pub(crate) enum Reauthentication {
    /// A code, or nothing, which is enough only where there is no verified factor.
    CurrentCode {
        /// Whether anything was given.
        given: bool,
        /// The attempt that it makes.
        attempt: Attempt,
        /// What it is judged by.
        rules: Rules,
    },
    /// It is root, or manages others.
    NotNeeded,
}

impl Reauthentication {
    /// What `caller` shows by `code`, which may be empty, or a recovery code.
    ///
    /// # Errors
    /// As [`Daemon::answer`] has them.
    pub(crate) async fn of(
        daemon: &Daemon,
        caller: Caller,
        needed: bool,
        target: &Account,
        code: &str,
    ) -> Result<Self, Error> {
        if !needed {
            return Ok(Self::NotNeeded);
        }
        let source = Source::Uid(caller.uid);
        let attempt = Attempt {
            answer: daemon.answer(target, code, &source).await?,
            factor: None,
            service: None,
            source,
            uid: target.current_uid(),
            now: clock::now(),
        };
        let rules = daemon.config.rules.clone();
        Ok(Self::CurrentCode { given: !code.is_empty(), attempt, rules })
    }

    /// Whether it is good. A code that was shown is an attempt like any other: counted, throttled
    /// and used up, in the transaction of the change that it is for.
    pub(crate) fn check(&self, record: Record) -> (Result<(), Error>, Record) {
        let (given, one, rules) = match self {
            Self::NotNeeded => return (Ok(()), record),
            Self::CurrentCode { given, attempt, rules } => (*given, attempt, rules),
        };
        if !record.is_enrolled() || record.uid != one.uid {
            return (Ok(()), record);
        }
        if !given {
            let told =
                "you have a verified factor: a current code of it is needed, or a recovery code";
            return (Err(Error::InvalidCode(told.into())), record);
        }
        let (verdict, record) = verify(record, one, rules);
        let proven = match verdict {
            Verdict::Approved { .. } => Ok(()),
            Verdict::Denied(_) => {
                Err(Error::InvalidCode("the current code is wrong, or was used before".into()))
            }
            Verdict::Throttled { .. } => {
                Err(Error::Throttled("too many wrong codes; try again later".into()))
            }
        };
        (proven, record)
    }
}
