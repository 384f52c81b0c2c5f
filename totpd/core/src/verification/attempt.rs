//! One attempt to log in, and the rules for it.

use alloc::string::String;

use crate::code::Code;
use crate::recovery_codes::HashedGuess;
use crate::source::Source;
use crate::throttle::ThrottleRules;
use crate::verification::methods::Methods;

/// The parsed answer of a person.
#[derive(Debug)]
pub enum Answer {
    /// The text that sshd sends in place of the answer of a user that it blocks.
    BlockedBySshd,
    /// A code of a factor.
    Code(Code),
    /// A code of a factor, or a scratch code of as many digits, hashed with the salt of the record.
    CodeOrScratch(Code, HashedGuess),
    /// A recovery code, hashed with the salt of the record.
    Recovery(HashedGuess),
    /// Anything else, also nothing.
    Malformed,
}

/// One attempt to log in.
#[derive(Debug)]
pub struct Attempt {
    /// The answer of the person.
    pub answer: Answer,
    /// The id of the only factor that may be used; `None` allows all of them.
    pub factor: Option<String>,
    /// The methods whose codes count.
    pub methods: Methods,
    /// The PAM service that asks; `None` if the caller does not name it.
    pub service: Option<String>,
    /// The origin of the attempt.
    pub source: Source,
    /// The uid that the user name has now.
    pub uid: u32,
    /// The time of the attempt, in seconds since 1970.
    pub now: u64,
}

impl Attempt {
    /// Returns the code, if the answer is one.
    pub(super) fn code(&self) -> Option<&Code> {
        match &self.answer {
            Answer::Code(code) | Answer::CodeOrScratch(code, _) => Some(code),
            Answer::BlockedBySshd | Answer::Recovery(_) | Answer::Malformed => None,
        }
    }
}

/// The rules of verification.
#[derive(Clone, Debug)]
pub struct Rules {
    /// Time steps accepted on either side of the present one (RFC 6238 section 5.2).
    pub skew: u64,
    /// The rules that slow down attempts after wrong codes.
    pub throttle: ThrottleRules,
}
