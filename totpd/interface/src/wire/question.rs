//! The questions of a login, as a module writes them.

use std::num::NonZeroU32;

use crate::dictionary::Budget;
use crate::wire::message::{Details, Message};
use crate::{LOGIN, PATH};

/// A question, in the bytes of its message.
#[derive(Debug)]
pub struct Question<'a> {
    /// The serial that the answer names.
    pub serial: NonZeroU32,
    /// The method and its arguments.
    pub method: Method<'a>,
    /// The context of the login.
    pub context: Details<'a>,
}

/// A method of `Login`, with its arguments before the context.
#[derive(Clone, Copy, Eq, PartialEq)]
pub enum Method<'a> {
    /// `Begin`.
    Begin {
        /// The name of the user.
        user: &'a str,
    },
    /// `Verify`.
    Verify {
        /// The name of the user.
        user: &'a str,
        /// The code as it was typed.
        code: &'a str,
    },
    /// `CompleteEnrollment`.
    CompleteEnrollment {
        /// The token of the factor.
        token: &'a str,
    },
    /// `Guard`.
    Guard {
        /// The name of the user.
        user: &'a str,
    },
    /// `PasswordChanged`.
    PasswordChanged {
        /// The name of the user.
        user: &'a str,
    },
}

impl<'a> Question<'a> {
    /// Reads a question that a module may write. Every other message is `None`, also a call of the
    /// same method in another form: with other fields, flags or types, or malformed. Its sender
    /// then gets the answer of the reader for all messages.
    #[must_use]
    pub fn parse(bytes: &'a [u8]) -> Option<Self> {
        let call = Message::parse(bytes).ok()?.plain_call()?;
        if call.path != PATH || call.interface != LOGIN {
            return None;
        }
        let mut body = call.body;
        let method = match (call.member, call.signature) {
            ("Begin", "sa{sv}") => Method::Begin { user: body.text().ok()? },
            ("Verify", "ssa{sv}") => {
                Method::Verify { user: body.text().ok()?, code: body.text().ok()? }
            }
            ("CompleteEnrollment", "sa{sv}") => {
                Method::CompleteEnrollment { token: body.text().ok()? }
            }
            ("Guard", "sa{sv}") => Method::Guard { user: body.text().ok()? },
            ("PasswordChanged", "sa{sv}") => Method::PasswordChanged { user: body.text().ok()? },
            _ => return None,
        };
        let context = Details::read(&mut body).ok()?;
        let mut budget = Budget::default();
        let is_plain = context
            .entries()
            .all(|(key, value)| value.is_some_and(|value| budget.admits(key, value.weight())));
        (is_plain && body.is_at_end()).then_some(Self { serial: call.serial, method, context })
    }
}

/// Prints no code and no token.
impl std::fmt::Debug for Method<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Begin { .. } => "Begin",
            Self::Verify { .. } => "Verify",
            Self::CompleteEnrollment { .. } => "CompleteEnrollment",
            Self::Guard { .. } => "Guard",
            Self::PasswordChanged { .. } => "PasswordChanged",
        })
    }
}

#[cfg(test)]
mod tests;
