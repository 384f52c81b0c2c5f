//! A message that arrived: a reply, or one that nobody waits for.

use std::num::NonZeroU32;

use crate::wire::reader::Reader;
use crate::wire::signature::check;
use crate::wire::value::skip_variant;
use crate::wire::{MAX_MESSAGE, Malformed, byte_order, lengths};

pub use crate::wire::value::Details;

/// A message, in its bytes.
#[derive(Debug)]
pub struct Message<'a> {
    kind: Kind,
    reply_serial: Option<NonZeroU32>,
    error_name: Option<&'a str>,
    sender: Option<&'a str>,
    signature: &'a str,
    body: Reader<'a>,
}

/// What a message is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Kind {
    Return,
    Error,
    /// A call, a signal, or a kind of the future.
    Other,
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

/// What a call returned.
#[derive(Debug)]
pub struct Body<'a> {
    signature: &'a str,
    reader: Reader<'a>,
}

impl<'a> Message<'a> {
    /// Reads the header of a message.
    ///
    /// # Errors
    /// [`Malformed`] if the bytes are not one message of at most [`MAX_MESSAGE`] bytes.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Malformed> {
        let start = bytes.first_chunk().ok_or(Malformed)?;
        let (lengths, order) = (lengths(start)?, byte_order(start)?);
        if lengths.message() != bytes.len() || bytes.len() > MAX_MESSAGE {
            return Err(Malformed);
        }
        let (header, body) = bytes.split_at_checked(lengths.header).ok_or(Malformed)?;
        let mut reader = Reader::new(header, order);
        let _order = reader.byte()?;
        let kind = match reader.byte()? {
            0 => return Err(Malformed),
            2 => Kind::Return,
            3 => Kind::Error,
            _ => Kind::Other,
        };
        let _flags = reader.byte()?;
        if reader.byte()? != PROTOCOL_VERSION {
            return Err(Malformed);
        }
        let _length = reader.number()?;
        NonZeroU32::new(reader.number()?).ok_or(Malformed)?;
        let body = Reader::new(body, order);
        let mut message =
            Self { kind, reply_serial: None, error_name: None, sender: None, signature: "", body };
        message.read_fields(&mut reader)?;
        Ok(message)
    }

    /// Reads the fields up to the end of the header. Unknown ones are skipped.
    fn read_fields(&mut self, reader: &mut Reader<'a>) -> Result<(), Malformed> {
        let end = reader.length()?.checked_add(reader.place()).ok_or(Malformed)?;
        let mut known = 0_u16;
        while reader.place() < end {
            reader.pad(8)?;
            let code = reader.byte()?;
            if code > LAST_FIELD {
                skip_variant(reader)?;
                continue;
            }
            // Zero is no field, and no field comes twice.
            let bit = 1 << code;
            if code == 0 || known & bit != 0 {
                return Err(Malformed);
            }
            known |= bit;
            match (code, reader.signature()?) {
                (1, "o") | (2 | 3 | 6, "s") => drop(reader.text()?),
                (4, "s") => self.error_name = Some(reader.text()?),
                (5, "u") => {
                    self.reply_serial = Some(NonZeroU32::new(reader.number()?).ok_or(Malformed)?);
                }
                (7, "s") => self.sender = Some(reader.text()?),
                (8, "g") => self.signature = reader.signature()?,
                (9, "u") => drop(reader.number()?),
                _ => return Err(Malformed),
            }
        }
        if reader.place() != end {
            return Err(Malformed);
        }
        reader.pad(8)?;
        check(self.signature.as_bytes())
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
        if self.kind == Kind::Other || self.reply_serial != Some(serial) {
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

const PROTOCOL_VERSION: u8 = 1;
/// The greatest code of a field in the specification.
const LAST_FIELD: u8 = 9;

#[cfg(test)]
mod tests;
