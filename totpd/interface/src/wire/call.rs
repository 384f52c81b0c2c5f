//! Calls: those of a login, and those by which the bus lets a client in.

use std::num::NonZeroU32;

use crate::login::LoginContext;
use crate::wire::writer::Writer;
use crate::wire::{MAX_MESSAGE, Malformed, PROTOCOL_VERSION, field};
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
    /// [`Malformed`] if a text has a zero byte, or the message is longer than [`MAX_MESSAGE`].
    pub fn write(&self, serial: NonZeroU32, way: Way) -> Result<Vec<u8>, Malformed> {
        let (body, signature) = self.body()?;
        let (path, interface, destination) = match self {
            Self::Hello | Self::StartService => (BUS_PATH, BUS_NAME, BUS_NAME),
            _ => (PATH, LOGIN, SERVICE),
        };
        let mut message = Writer::new();
        message.0.extend_from_slice(&[b'l', METHOD_CALL, 0, PROTOCOL_VERSION]);
        message.number(u32::try_from(body.len()).map_err(|_| Malformed)?);
        message.number(serial.get());
        message.array(|fields| {
            text_field(fields, field::PATH, "o", path)?;
            text_field(fields, field::INTERFACE, "s", interface)?;
            text_field(fields, field::MEMBER, "s", self.member())?;
            if way == Way::Bus {
                text_field(fields, field::DESTINATION, "s", destination)?;
            }
            if signature.is_empty() {
                return Ok(());
            }
            fields.pad(8);
            fields.0.push(field::SIGNATURE);
            fields.signature("g")?;
            fields.signature(signature)
        })?;
        message.pad(8);
        message.0.extend_from_slice(&body);
        if message.0.len() > MAX_MESSAGE { Err(Malformed) } else { Ok(message.0) }
    }

    fn member(&self) -> &'static str {
        match self {
            Self::Hello => "Hello",
            Self::StartService => "StartServiceByName",
            Self::Begin { .. } => "Begin",
            Self::Verify { .. } => "Verify",
            Self::CompleteEnrollment { .. } => "CompleteEnrollment",
        }
    }

    /// Returns the bytes of the body, and its signature.
    fn body(&self) -> Result<(Vec<u8>, &'static str), Malformed> {
        let mut body = Writer::new();
        let signature = match self {
            Self::Hello => "",
            Self::StartService => {
                body.text(SERVICE)?;
                body.number(0);
                "su"
            }
            Self::Begin { user: text, context }
            | Self::CompleteEnrollment { token: text, context } => {
                body.text(text)?;
                context.write(|entries| body.entries(&entries))?;
                "sa{sv}"
            }
            Self::Verify { user, code, context } => {
                body.text(user)?;
                body.text(code)?;
                context.write(|entries| body.entries(&entries))?;
                "ssa{sv}"
            }
        };
        Ok((body.0, signature))
    }
}

fn text_field(fields: &mut Writer, code: u8, kind: &str, text: &str) -> Result<(), Malformed> {
    fields.pad(8);
    fields.0.push(code);
    fields.signature(kind)?;
    fields.text(text)
}

/// The name and the interface of the bus itself.
pub const BUS_NAME: &str = "org.freedesktop.DBus";
const BUS_PATH: &str = "/org/freedesktop/DBus";
const METHOD_CALL: u8 = 1;

#[cfg(test)]
mod tests;
