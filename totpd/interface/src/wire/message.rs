//! A message that arrived: a reply, or one that nobody waits for.

use std::num::NonZeroU32;

use crate::wire::reader::Reader;
use crate::wire::signature::check;
use crate::wire::value::skip_variant;
use crate::wire::{
    ERROR, METHOD_CALL, METHOD_RETURN, Malformed, PROTOCOL_VERSION, byte_order, field, layout,
};

pub use crate::wire::value::Details;

/// A message, in its bytes.
#[derive(Debug)]
pub struct Message<'a> {
    kind: Kind,
    flags: u8,
    serial: Option<NonZeroU32>,
    /// The codes of the fields that the header has, a bit each. The lowest bit: an unknown code.
    fields: u16,
    path: Option<&'a str>,
    interface: Option<&'a str>,
    member: Option<&'a str>,
    reply_serial: Option<NonZeroU32>,
    error_name: Option<&'a str>,
    sender: Option<&'a str>,
    signature: &'a str,
    body: Reader<'a>,
}

/// What a message is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Kind {
    Call,
    Error,
    /// The kind of no message.
    Invalid,
    /// A signal, or a kind of the future.
    Other,
    Return,
}

/// The answer to a call.
#[derive(Debug)]
pub enum Reply<'a> {
    /// The call was carried out.
    Return(Body<'a>),
    /// The call failed.
    Error {
        /// The name of the error.
        name: &'a str,
        /// The sentence that came with it, or nothing.
        text: &'a str,
    },
}

/// A call without flags, with the fields of the header that a call needs and no others.
pub(super) struct PlainCall<'a> {
    pub(super) serial: NonZeroU32,
    pub(super) path: &'a str,
    pub(super) interface: &'a str,
    pub(super) member: &'a str,
    pub(super) signature: &'a str,
    pub(super) body: Reader<'a>,
}

/// What a call returned.
#[derive(Debug)]
pub struct Body<'a> {
    signature: &'a str,
    reader: Reader<'a>,
}

impl Kind {
    /// Reports whether this is an answer. A message of no valid kind counts as one.
    fn is_answer(self) -> bool {
        !matches!(self, Self::Call | Self::Other)
    }
}

impl<'a> Message<'a> {
    /// Reads the header of a message.
    ///
    /// # Errors
    /// [`Malformed`] if the bytes are not one message of at most
    /// [`MAX_MESSAGE`](crate::wire::MAX_MESSAGE) bytes.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Malformed> {
        let (lengths, order) = layout(bytes)?;
        let (header, body) = bytes.split_at_checked(lengths.header).ok_or(Malformed)?;
        let mut message = Self::unread(Reader::new(body, order));
        message.read_header(&mut Reader::new(header, order))?;
        Ok(message)
    }

    /// Returns a message whose header was not read yet.
    fn unread(body: Reader<'a>) -> Self {
        Self {
            kind: Kind::Invalid,
            flags: 0,
            serial: None,
            fields: 0,
            path: None,
            interface: None,
            member: None,
            reply_serial: None,
            error_name: None,
            sender: None,
            signature: "",
            body,
        }
    }

    /// Reads the header. After an error, the parts before the malformed one are known.
    fn read_header(&mut self, reader: &mut Reader<'a>) -> Result<(), Malformed> {
        let _order = reader.byte()?;
        self.kind = match reader.byte()? {
            0 => Kind::Invalid,
            METHOD_CALL => Kind::Call,
            METHOD_RETURN => Kind::Return,
            ERROR => Kind::Error,
            _ => Kind::Other,
        };
        self.flags = reader.byte()?;
        let version = reader.byte()?;
        let _length = reader.number()?;
        self.serial = NonZeroU32::new(reader.number()?);
        self.read_fields(reader)?;
        let is_numbered = version == PROTOCOL_VERSION && self.serial.is_some();
        let is_valid = self.kind != Kind::Invalid && is_numbered;
        if is_valid { Ok(()) } else { Err(Malformed) }
    }

    /// Reads the fields up to the end of the header. Unknown ones are skipped.
    fn read_fields(&mut self, reader: &mut Reader<'a>) -> Result<(), Malformed> {
        let end = reader.length()?.checked_add(reader.place()).ok_or(Malformed)?;
        while reader.place() < end {
            reader.pad(8)?;
            let code = reader.byte()?;
            if code > field::UNIX_FDS {
                self.fields |= 1;
                skip_variant(reader)?;
                continue;
            }
            // Zero is no field, and no field comes twice.
            let bit = 1 << code;
            if code == 0 || self.fields & bit != 0 {
                return Err(Malformed);
            }
            self.fields |= bit;
            match (code, reader.signature()?) {
                (field::PATH, "o") => self.path = Some(reader.text()?),
                (field::INTERFACE, "s") => self.interface = Some(reader.text()?),
                (field::MEMBER, "s") => self.member = Some(reader.text()?),
                (field::DESTINATION, "s") => drop(reader.text()?),
                (field::ERROR_NAME, "s") => self.error_name = Some(reader.text()?),
                (field::REPLY_SERIAL, "u") => {
                    self.reply_serial = Some(NonZeroU32::new(reader.number()?).ok_or(Malformed)?);
                }
                (field::SENDER, "s") => self.sender = Some(reader.text()?),
                (field::SIGNATURE, "g") => self.signature = reader.signature()?,
                (field::UNIX_FDS, "u") => drop(reader.number()?),
                _ => return Err(Malformed),
            }
        }
        if reader.place() != end {
            return Err(Malformed);
        }
        reader.pad(8)?;
        check(self.signature.as_bytes())
    }

    /// Returns the call, or `None` if the message is anything else.
    pub(super) fn plain_call(&self) -> Option<PlainCall<'a>> {
        if self.kind != Kind::Call || self.flags != 0 || self.fields != FIELDS_OF_A_CALL {
            return None;
        }
        Some(PlainCall {
            serial: self.serial?,
            path: self.path?,
            interface: self.interface?,
            member: self.member?,
            signature: self.signature,
            body: self.body,
        })
    }

    /// Returns the sender of the message, for which a bus vouches.
    #[must_use]
    pub fn sender(&self) -> Option<&'a str> {
        self.sender
    }

    /// Returns what the call of that serial was answered. `None`: this is the answer to another
    /// call, or no answer.
    ///
    /// # Errors
    /// [`Malformed`] if an error has no name.
    pub fn reply_to(&self, serial: NonZeroU32) -> Result<Option<Reply<'a>>, Malformed> {
        if !self.kind.is_answer() || self.reply_serial != Some(serial) {
            return Ok(None);
        }
        let body = Body { signature: self.signature, reader: self.body };
        if self.kind == Kind::Return {
            return Ok(Some(Reply::Return(body)));
        }
        let name = self.error_name.ok_or(Malformed)?;
        Ok(Some(Reply::Error { name, text: body.sentence()? }))
    }
}

impl<'a> Body<'a> {
    /// Reads the word and the details of a reply of `Login`.
    ///
    /// # Errors
    /// [`Malformed`] if the body is anything else.
    pub fn word_and_details(mut self) -> Result<(&'a str, Details<'a>), Malformed> {
        if self.signature != "sa{sv}" {
            return Err(Malformed);
        }
        let (word, details) = (self.reader.text()?, Details::read(&mut self.reader)?);
        if self.reader.is_at_end() { Ok((word, details)) } else { Err(Malformed) }
    }

    /// Reads the sentence of an error. Other bodies say nothing.
    fn sentence(mut self) -> Result<&'a str, Malformed> {
        if self.signature != "s" {
            return Ok("");
        }
        let text = self.reader.text()?;
        if self.reader.is_at_end() { Ok(text) } else { Err(Malformed) }
    }
}

/// Reports whether the message with this header answers the call of that serial. This holds also if
/// the message is too long, or malformed behind the field that names the serial.
///
/// A message of no valid kind counts as an answer. A call or a signal never does, whichever serial
/// its sender names.
#[must_use]
pub fn is_answer_to(serial: NonZeroU32, header: &[u8]) -> bool {
    let Some(Ok(order)) = header.first_chunk().map(byte_order) else { return false };
    let mut message = Message::unread(Reader::new(&[], order));
    // An error is reported by `Message::parse`. What was read before it says whose answer it is.
    let _ = message.read_header(&mut Reader::new(header, order));
    message.kind.is_answer() && message.reply_serial == Some(serial)
}

/// The fields of a call with arguments.
const FIELDS_OF_A_CALL: u16 =
    1 << field::PATH | 1 << field::INTERFACE | 1 << field::MEMBER | 1 << field::SIGNATURE;

#[cfg(test)]
pub(super) mod tests;
