//! The result of an attempt to log in.

use crate::factor::{FactorId, Kind};
use crate::mark::{Acceptance, LeaningLogin, UsedCode};
use crate::record_key::RecordKey;
use crate::recovery_codes::Usage;

/// The result of an attempt.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Verdict {
    /// The code is right. It is used up once the record is on disk.
    Approved {
        /// The factor of the code; `None` for a recovery code.
        factor: Option<FactorId>,
        /// What the code used up of its factor.
        used: Option<UsedCode>,
        /// The method that approved it.
        method: Method,
        /// The number of recovery codes that the user still has.
        recovery_codes_left: usize,
        /// The last use of a recovery code, if no login has reported it to the user yet.
        unreported_use: Option<Usage>,
    },
    /// The code is not accepted. The reason goes to the log, never to the person.
    Denied(Reason),
    /// Too many wrong codes. The attempt is neither checked nor counted.
    Throttled {
        /// Seconds until the next attempt is checked; `None` until `totpctl unlock`.
        retry_after: Option<u64>,
    },
    /// The present codes of all factors are void
    /// ([`VoidWindows`](crate::void_windows::VoidWindows)). The attempt is neither checked nor
    /// counted.
    Void {
        /// Seconds until the next attempt is checked.
        retry_after: u64,
    },
}

/// The method that approved an answer. The contract has the words.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Method {
    /// A code of a token that counts presses.
    Hotp,
    /// A recovery code.
    Recovery,
    /// A code of the time.
    Totp,
}

impl From<Kind> for Method {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Hotp => Self::Hotp,
            Kind::Totp { .. } => Self::Totp,
        }
    }
}

impl Verdict {
    /// Returns the login of the user with this record, if it was approved at `now` (seconds since
    /// 1970). A recovery code has no factor, so no login by one leans.
    #[must_use]
    pub fn leaning_login(&self, key: &RecordKey, now: u64) -> Option<LeaningLogin> {
        let (RecordKey::User(user), Self::Approved { factor: Some(factor), used: Some(used), .. }) =
            (key, self)
        else {
            return None;
        };
        let (user, factor, used) = (user.clone(), factor.clone(), *used);
        let acceptance = Acceptance { user, factor, step: used.counter() };
        Some(LeaningLogin { acceptance, used, now })
    }
}

/// The reason why a code is not accepted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Reason {
    /// The answer is not that of the person: sshd blocks the login. It is no guess, so it is not
    /// counted.
    BlockedBySshd,
    /// The code is right, but its time step is void, so it may have been used. It is no guess, so
    /// it is not counted.
    CodeVoid,
    /// All factors of the user are disabled.
    Disabled,
    /// The answer cannot be a code. It is no guess, so it is not counted.
    Malformed,
    /// The user has no verified factor.
    NotEnrolled,
    /// The name had another uid at enrollment ([`crate::record::Record::belongs_to`]).
    UidChanged,
    /// The user has only tokens that must be resynchronized first.
    Unsynchronized,
    /// The answer has the form of a recovery code, and none counts at this login.
    RecoveryNotAllowed,
    /// The code is right, but its factor may not be used at this login: its method, the service or
    /// the time is another.
    Restricted,
    /// The code is right, but older than the import of its seed, so it may have been used
    /// elsewhere. It is no guess, so it is not counted.
    NotYetUsable,
    /// The code was accepted last, or its time step or counter is below the last accepted one. The
    /// code that was accepted last is no guess, so it is not counted.
    Replayed,
    /// The code matches nothing in the window.
    NoMatch,
    /// The answer is no recovery code that is left: it was used or replaced before, or is a guess.
    NoRecoveryCode,
}

impl Reason {
    /// Reports whether the throttle counts the attempt, unless it repeats the last accepted code.
    /// Only a guess counts.
    pub(super) fn counts(self) -> bool {
        !matches!(self, Self::BlockedBySshd | Self::CodeVoid | Self::Malformed | Self::NotYetUsable)
    }
}
