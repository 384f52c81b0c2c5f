//! Why the verdict here differs from that of the other module.

use serde::{Deserialize, Serialize};

/// Why the two modules differ about a login. The store has the number of the variant: a new one
/// comes last.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub enum Cause {
    /// The user has no factor here.
    NoFactor,
    /// The user has a factor here that was never confirmed.
    Unconfirmed,
    /// The code has another number of digits than the factor.
    Digits,
    /// The code is right a few steps earlier or later: the other module has a wider window.
    Window,
    /// The code is right at another time: the clock of the phone is wrong.
    Clock,
    /// The code was used before, or may have been.
    Used,
    /// The code is right for no factor: it has another seed.
    Wrong,
    /// The factor is disabled, or may not be used at this login.
    NotAllowed,
    /// The code is right here, and the stack refused the login, for whatever reason.
    StackRefused,
}

impl Cause {
    /// Returns the word for the cause. It never changes, because scripts compare it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::NoFactor => "no-factor",
            Self::Unconfirmed => "unconfirmed",
            Self::Digits => "digits",
            Self::Window => "window",
            Self::Clock => "clock",
            Self::Used => "used",
            Self::Wrong => "wrong-code",
            Self::NotAllowed => "not-allowed",
            Self::StackRefused => "stack-refused",
        }
    }
}
