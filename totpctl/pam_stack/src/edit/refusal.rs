//! Why a stack is left alone.

use std::fmt;

use crate::stack::Place;

/// Why the file of a service is left alone.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Refusal {
    /// It asks, and can be entered without a code, or lets nobody in: a person has to look at it.
    Broken,
    /// It asks, or would go on to ask, by a line of another file.
    Elsewhere(Place),
    /// After a wrong password libpam goes on to the code, by these lines.
    GoesOn(Vec<Place>),
    /// A factor cannot be made at this service (option `enroll`), because of what its program is.
    NoCredentials(&'static str),
    /// No password that is known stands before this line, and it has strangers make factors (option `enroll`).
    NothingBefore(Place),
    /// There is no place behind the password to which every login comes.
    NoPlace,
    /// It has no file, or none that libpam can read.
    NoStack,
    /// Lines are jumped over by their number, and there would be another number of them.
    Jumps(Place),
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Broken => {
                f.write_str("its stack is not as it should be; totpctl doctor says which line it is")
            }
            Self::Elsewhere(place) => write!(f, "it is {place} that asks for the code"),
            Self::GoesOn(places) => write!(
                f,
                "a code would be asked for after a wrong password too, since libpam goes on behind {}. \
                 {WITHOUT_PASSWORD}",
                listed(places)
            ),
            Self::NoCredentials(why) => write!(
                f,
                "nobody can make a factor there (option enroll): {why}. Have users enroll elsewhere \
                 (totpctl enroll)"
            ),
            Self::NothingBefore(place) => write!(
                f,
                "with enroll a stranger would make a factor there, since no password module that is known has \
                 accepted before {place}: put that line behind the password, or have users enroll elsewhere \
                 (totpctl enroll)"
            ),
            Self::NoPlace => f.write_str(
                "there is no place behind the password that every login comes to; write the line of \
                 pam_totp.so by hand, and have totpctl doctor look at it",
            ),
            Self::NoStack => {
                f.write_str("it has no lines of its own under auth that libpam can read")
            }
            Self::Jumps(place) => write!(
                f,
                "the line at {place} jumps over others by their number; change it by hand, and have \
                 totpctl doctor look at it"
            ),
        }
    }
}

/// Places in a sentence.
fn listed(places: &[Place]) -> String {
    let places: Vec<_> = places.iter().map(ToString::to_string).collect();
    places.join(" and ")
}

/// What somebody can do where a wrong password is followed by the question for a code.
pub const WITHOUT_PASSWORD: &str = "Whoever does not know the password could use up the wrong codes that its owner has; see, with nullok, \
     who has no factor; and, with enroll, be shown a key";
