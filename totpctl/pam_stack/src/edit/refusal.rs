//! The reasons why a stack is not changed.

use std::fmt;

use crate::ambiguous_lines::ambiguity_fix;
use crate::stack::Place;

/// The reason why the file of a service is not changed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Refusal {
    /// A stack that asks, but has a bypass or lets no user in. An administrator has to correct it.
    Broken,
    /// A stack that asks, or would still ask, by a line of another file.
    Elsewhere(Place),
    /// A stack in which both lines ask on one path.
    AsksTwice(Place, Place),
    /// libpam would ask for a code after a wrong password, because of these lines.
    AfterWrongPassword(Vec<Place>),
    /// Its program never calls `pam_setcred`, so no factor can be created there (option `enroll`).
    NeverSetsCredentials(&'static str),
    /// No known password module accepts before this line, so strangers could create factors (option
    /// `enroll`).
    NoPasswordBefore(Place),
    /// No place after the password is on every path.
    NoPlace,
    /// Versions of libpam read this line differently, for this reason.
    Ambiguous(Place, &'static str),
    /// A stack in which libpam cannot read a file. The text names the file and the reason.
    Unreadable(String),
    /// A service without a file that libpam can read.
    NoStack,
    /// Without the second factor no line is left that asks who a user is. libpam would then use the
    /// stack of "other", deny everybody, or accept everybody.
    NothingLeft,
    /// Nothing besides the guard would accept anybody under `account`.
    NothingAccepts,
    /// A login could pass the lines under `account` although the guard refuses it.
    PassedBy,
    /// A service that has no line under `password`.
    ChangesNoPassword,
    /// This line jumps over a number of lines, which the change would alter.
    Jumps(Place),
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Broken => {
                f.write_str("its stack is faulty; totpctl doctor names the line")
            }
            Self::Elsewhere(place) => write!(f, "{place} asks for the code"),
            Self::AsksTwice(first, second) => write!(
                f,
                "{first} and {second} both ask for the code, and the second refuses the code that the first \
                 accepted; remove one of the two lines"
            ),
            Self::AfterWrongPassword(places) => write!(
                f,
                "libpam would ask for a code after a wrong password too, because it continues after {}. \
                 {WRONG_PASSWORD_RISK}",
                join(places)
            ),
            Self::NeverSetsCredentials(reason) => write!(
                f,
                "no user can create a factor there (option enroll): {reason}; have users enroll elsewhere \
                 (totpctl enroll)"
            ),
            Self::NoPasswordBefore(place) => write!(
                f,
                "with enroll, a stranger could create a factor there: no known password module accepts before \
                 {place}; move that line after the password, or have users enroll elsewhere (totpctl enroll)"
            ),
            Self::NoPlace => f.write_str(
                "no place after the password is on the path of every login; add the line of pam_totp.so by hand, and \
                 check it with totpctl doctor",
            ),
            Self::Ambiguous(place, reason) => {
                write!(f, "{place}: {reason}; {}", ambiguity_fix(reason))
            }
            Self::Unreadable(reason) => {
                write!(f, "libpam cannot read its stack ({reason}); restore or correct that file first")
            }
            Self::NoStack => {
                f.write_str("it has no auth lines of its own that libpam can read")
            }
            Self::NothingLeft => f.write_str(
                "without the line of pam_totp.so no line is left that asks who a user is; libpam would then use the \
                 stack of \"other\", deny everybody, or accept everybody",
            ),
            Self::NothingAccepts => f.write_str(
                "with a guard, no line of its own under account would let anybody in: a guard only refuses. Add the \
                 usual lines first, for example those of pam_unix.so",
            ),
            Self::PassedBy => f.write_str(
                "a line under account takes back what the guard refuses; change that line, and check it with totpctl \
                 doctor",
            ),
            Self::ChangesNoPassword => f.write_str(
                "it has no line under password, so no password is changed there; name passwd, or another service that \
                 changes passwords",
            ),
            Self::Jumps(place) => write!(
                f,
                "the line {place} jumps over a number of lines; change it by hand, and check it with totpctl doctor"
            ),
        }
    }
}

/// Joins places for a sentence.
fn join(places: &[Place]) -> String {
    let places: Vec<_> = places.iter().map(ToString::to_string).collect();
    places.join(" and ")
}

/// The gain of an attacker if libpam asks for a code after a wrong password.
pub const WRONG_PASSWORD_RISK: &str = "Anyone without the password could make the user wait by wrong codes; with nullok, learn who has no factor; \
     and with enroll, be shown a key";
