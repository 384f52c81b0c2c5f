//! Writes messages of D-Bus and their values, in the byte order of most machines.

use std::num::NonZeroU32;

use crate::dictionary::{Entries, Value};
use crate::wire::{MAX_MESSAGE, Malformed, PROTOCOL_VERSION, field};

/// Returns the bytes of a message of `kind` with these fields and this body.
///
/// # Errors
/// [`Malformed`] if the message is longer than [`MAX_MESSAGE`], or a part cannot be written.
pub(super) fn message(
    kind: u8,
    serial: NonZeroU32,
    fields: impl FnOnce(&mut Writer) -> Result<(), Malformed>,
    body: impl FnOnce(&mut Writer) -> Result<(), Malformed>,
) -> Result<Vec<u8>, Malformed> {
    let mut message = Writer::new();
    message.0.extend_from_slice(&[b'l', kind, 0, PROTOCOL_VERSION]);
    message.number(0);
    message.number(serial.get());
    message.array(fields)?;
    message.pad(8);
    let start = message.0.len();
    body(&mut message)?;
    let length = length(message.0.len() - start)?.to_le_bytes();
    message.0.get_mut(4..8).ok_or(Malformed)?.copy_from_slice(&length);
    if message.0.len() > MAX_MESSAGE { Err(Malformed) } else { Ok(message.0) }
}

/// The bytes of a message, or of its body, up to where it is written. The next byte is aligned as
/// in the message, because the body of a message starts at a multiple of eight.
pub(super) struct Writer(pub(super) Vec<u8>);

impl Writer {
    /// Returns a writer with room for most messages of a login.
    pub(super) fn new() -> Self {
        Self(Vec::with_capacity(CAPACITY))
    }

    pub(super) fn pad(&mut self, alignment: usize) {
        self.0.resize(self.0.len().next_multiple_of(alignment), 0);
    }

    pub(super) fn number(&mut self, number: u32) {
        self.pad(4);
        self.0.extend_from_slice(&number.to_le_bytes());
    }

    /// Writes a string or an object path.
    pub(super) fn text(&mut self, text: &str) -> Result<(), Malformed> {
        if text.as_bytes().contains(&0) {
            return Err(Malformed);
        }
        self.text_without_zero(text)
    }

    /// Writes a string without a zero byte, such as one of this program.
    pub(super) fn text_without_zero(&mut self, text: &str) -> Result<(), Malformed> {
        debug_assert!(!text.contains('\0'), "{text:?}");
        self.number(length(text.len())?);
        self.0.extend_from_slice(text.as_bytes());
        self.0.push(0);
        Ok(())
    }

    /// Writes a field of the header that holds a string or an object path, without a zero byte.
    pub(super) fn text_field(&mut self, code: u8, kind: &str, text: &str) -> Result<(), Malformed> {
        self.pad(8);
        self.0.push(code);
        self.signature(kind)?;
        self.text_without_zero(text)
    }

    /// Writes the field of the header that holds the signature of the body, unless it is empty.
    pub(super) fn signature_field(&mut self, signature: &str) -> Result<(), Malformed> {
        if signature.is_empty() {
            return Ok(());
        }
        self.pad(8);
        self.0.push(field::SIGNATURE);
        self.signature("g")?;
        self.signature(signature)
    }

    pub(super) fn signature(&mut self, signature: &str) -> Result<(), Malformed> {
        self.0.push(u8::try_from(signature.len()).map_err(|_| Malformed)?);
        self.0.extend_from_slice(signature.as_bytes());
        self.0.push(0);
        Ok(())
    }

    /// Writes an array whose elements have an alignment of eight.
    pub(super) fn array(
        &mut self,
        write: impl FnOnce(&mut Self) -> Result<(), Malformed>,
    ) -> Result<(), Malformed> {
        self.number(0);
        let at = self.0.len();
        self.pad(8);
        let start = self.0.len();
        write(self)?;
        let bytes = length(self.0.len() - start)?.to_le_bytes();
        self.0.get_mut(at - bytes.len()..at).ok_or(Malformed)?.copy_from_slice(&bytes);
        Ok(())
    }

    /// Writes a dictionary `a{sv}`. A login has no values but texts, flags and numbers.
    pub(super) fn entries(&mut self, entries: &Entries<'_>) -> Result<(), Malformed> {
        self.array(|array| {
            for (key, value) in entries {
                array.pad(8);
                array.text_without_zero(key)?;
                match value {
                    Value::Text(text) => array.signature("s").and_then(|()| array.text(text))?,
                    Value::Flag(flag) => {
                        array.signature("b")?;
                        array.number(u32::from(*flag));
                    }
                    Value::Number(number) => {
                        array.signature("u")?;
                        array.number(*number);
                    }
                    Value::Bytes(_) | Value::Number64(_) | Value::Texts(_) => {
                        return Err(Malformed);
                    }
                }
            }
            Ok(())
        })
    }
}

fn length(bytes: usize) -> Result<u32, Malformed> {
    u32::try_from(bytes).map_err(|_| Malformed)
}

const CAPACITY: usize = 512;
