//! Answers to the questions of a login, over a socket on which nobody but the caller reads.

use std::num::NonZeroU32;

use crate::dictionary::Entries;
use crate::wire::writer::{Writer, message};
use crate::wire::{ERROR, METHOD_RETURN, Malformed, field};

/// Returns the bytes of the reply to the question of that serial: the word and the details.
///
/// # Errors
/// [`Malformed`] if a text has a zero byte, a detail has a type that no reply of a login has, or
/// the message is longer than [`MAX_MESSAGE`](crate::wire::MAX_MESSAGE).
pub fn reply(serial: NonZeroU32, word: &str, details: &Entries<'_>) -> Result<Vec<u8>, Malformed> {
    let fields = |fields: &mut Writer| {
        reply_serial_field(fields, serial)?;
        fields.signature_field("sa{sv}")
    };
    message(METHOD_RETURN, serial, fields, |body| {
        body.text(word)?;
        body.entries(details)
    })
}

/// Returns the bytes of the error that answers the question of that serial: its name and its
/// sentence.
///
/// # Errors
/// [`Malformed`] if a text has a zero byte, or the message is longer than
/// [`MAX_MESSAGE`](crate::wire::MAX_MESSAGE).
pub fn error(serial: NonZeroU32, name: &str, sentence: &str) -> Result<Vec<u8>, Malformed> {
    if name.contains('\0') {
        return Err(Malformed);
    }
    let fields = |fields: &mut Writer| {
        fields.text_field(field::ERROR_NAME, "s", name)?;
        reply_serial_field(fields, serial)?;
        fields.signature_field("s")
    };
    message(ERROR, serial, fields, |body| body.text(sentence))
}

/// Writes the serial of the question. The answer has the same serial of its own: a caller gets one
/// answer to a question.
fn reply_serial_field(fields: &mut Writer, serial: NonZeroU32) -> Result<(), Malformed> {
    fields.pad(8);
    fields.0.push(field::REPLY_SERIAL);
    fields.signature("u")?;
    fields.number(serial.get());
    Ok(())
}

#[cfg(test)]
mod tests;
