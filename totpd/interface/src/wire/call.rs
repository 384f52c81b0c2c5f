//! Calls: those of a login, and those by which the bus lets a client in.

use std::num::NonZeroU32;

use crate::login::LoginContext;
use crate::wire::writer::{Writer, message};
use crate::wire::{METHOD_CALL, Malformed, field};
use crate::{LOGIN, PATH, SERVICE};

/// A call.
#[derive(Clone, Copy)]
pub enum Call<'a> {
    /// Asks the bus for a name of this connection. The first call on a bus.
    Hello,
    /// Asks the bus to start the daemon, and returns once it runs.
    StartService,
    /// `Login.Begin`.
    Begin {
        /// The name of the user.
        user: &'a str,
        /// The context of the login.
        context: &'a LoginContext,
    },
    /// `Login.Verify`.
    Verify {
        /// The name of the user.
        user: &'a str,
        /// The code as it was typed.
        code: &'a str,
        /// The context of the login.
        context: &'a LoginContext,
    },
    /// `Login.CompleteEnrollment`, which the daemon serves on the private socket alone.
    CompleteEnrollment {
        /// The token of the factor.
        token: &'a str,
        /// The context of the login.
        context: &'a LoginContext,
    },
    /// `Login.Guard`, which the daemon answers to root alone.
    Guard {
        /// The name of the user.
        user: &'a str,
        /// The context of the login.
        context: &'a LoginContext,
    },
    /// `Login.PasswordChanged`, which the daemon answers to root alone.
    PasswordChanged {
        /// The name of the user.
        user: &'a str,
        /// The context of the change.
        context: &'a LoginContext,
    },
}

/// The way of a call to its receiver.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Way {
    /// A bus, which needs the name of the receiver.
    Bus,
    /// A socket on which nobody but the receiver reads.
    Peer,
}

impl Call<'_> {
    /// Returns the bytes of the call. The reply to it names `serial`.
    ///
    /// # Errors
    /// [`Malformed`] if a text has a zero byte, or the message is longer than
    /// [`MAX_MESSAGE`](crate::wire::MAX_MESSAGE).
    pub fn write(&self, serial: NonZeroU32, way: Way) -> Result<Vec<u8>, Malformed> {
        let (path, interface, destination) = match self {
            Self::Hello | Self::StartService => (BUS_PATH, BUS_NAME, BUS_NAME),
            _ => (PATH, LOGIN, SERVICE),
        };
        let fields = |fields: &mut Writer| {
            fields.text_field(field::PATH, "o", path)?;
            fields.text_field(field::INTERFACE, "s", interface)?;
            fields.text_field(field::MEMBER, "s", self.member())?;
            if way == Way::Bus {
                fields.text_field(field::DESTINATION, "s", destination)?;
            }
            fields.signature_field(self.signature())
        };
        message(METHOD_CALL, serial, fields, |body| self.write_body(body))
    }

    fn member(&self) -> &'static str {
        match self {
            Self::Hello => "Hello",
            Self::StartService => "StartServiceByName",
            Self::Begin { .. } => "Begin",
            Self::Verify { .. } => "Verify",
            Self::CompleteEnrollment { .. } => "CompleteEnrollment",
            Self::Guard { .. } => "Guard",
            Self::PasswordChanged { .. } => "PasswordChanged",
        }
    }

    fn signature(&self) -> &'static str {
        match self {
            Self::Hello => "",
            Self::StartService => "su",
            Self::Begin { .. }
            | Self::CompleteEnrollment { .. }
            | Self::Guard { .. }
            | Self::PasswordChanged { .. } => "sa{sv}",
            Self::Verify { .. } => "ssa{sv}",
        }
    }

    fn write_body(&self, body: &mut Writer) -> Result<(), Malformed> {
        match self {
            Self::Hello => Ok(()),
            Self::StartService => {
                body.text(SERVICE)?;
                body.number(0);
                Ok(())
            }
            Self::Begin { user: text, context }
            | Self::CompleteEnrollment { token: text, context }
            | Self::Guard { user: text, context }
            | Self::PasswordChanged { user: text, context } => {
                body.text(text)?;
                context.write(|entries| body.entries(&entries))
            }
            Self::Verify { user, code, context } => {
                body.text(user)?;
                body.text(code)?;
                context.write(|entries| body.entries(&entries))
            }
        }
    }
}

/// The name and the interface of the bus itself.
pub const BUS_NAME: &str = "org.freedesktop.DBus";
const BUS_PATH: &str = "/org/freedesktop/DBus";

#[cfg(test)]
mod tests;
