//! A message of the private socket, where a connection is one question and one answer.
//!
//! zbus writes these messages and reads their parts. What it has no safe call for is here: to tell
//! from the bytes where a message ends, and where its body begins (D-Bus specification, "Message
//! Format"). A whole connection of zbus costs more than the question, and its server asks NSS
//! about every peer.

use std::os::fd::OwnedFd;

use serde::de::DeserializeOwned;
use zbus::Type;
use zbus::message::Header;
use zbus::wire::serialized::{Context, Data};
use zbus::wire::{BE, Endian, LE};

/// Bytes of a message at most. What is asked and answered needs a hundredth of it.
pub const LONGEST: usize = 64 * 1024;
/// Bytes from which it can be told how long a message is.
pub const START: usize = 16;
/// What a client says first: that it is root. The kernel vouches for it, and no file descriptors
/// are passed, so nothing is left to agree upon and the message can follow at once.
pub const GREETING: &str = "\0AUTH EXTERNAL 30\r\nBEGIN\r\n";

/// A message that came. What it holds is only looked at when it is asked for.
#[derive(Debug)]
pub struct Received {
    data: Data<'static, 'static>,
    body: usize,
}

/// The bytes are no message, one that is too long, or not one of the kind that is looked for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Malformed;

/// How many bytes a message has that starts like this.
///
/// # Errors
/// [`Malformed`]
pub fn length(start: &[u8; START]) -> Result<usize, Malformed> {
    match announced(start)? {
        (header, body) if header + body <= LONGEST => Ok(header + body),
        _ => Err(Malformed),
    }
}

impl Received {
    /// Takes the bytes of one message.
    ///
    /// # Errors
    /// [`Malformed`] if they are not as many as they say.
    pub fn new(bytes: Vec<u8>) -> Result<Self, Malformed> {
        Self::with_descriptors(bytes, Vec::new())
    }

    /// Takes the bytes of one message, and the descriptors that came with it.
    ///
    /// # Errors
    /// [`Malformed`] if the bytes are not as many as they say.
    pub fn with_descriptors(bytes: Vec<u8>, passed: Vec<OwnedFd>) -> Result<Self, Malformed> {
        let start = bytes.first_chunk().ok_or(Malformed)?;
        if length(start)? != bytes.len() {
            return Err(Malformed);
        }
        let (header, _) = announced(start)?;
        let context = Context::new(endian(start)?, 0);
        Ok(Self { data: Data::new_fds(bytes, context, passed), body: header })
    }

    /// Takes the header alone of a message whose body is not wanted.
    ///
    /// # Errors
    /// [`Malformed`] if the bytes are no header as a whole.
    pub fn without_body(mut header: Vec<u8>) -> Result<Self, Malformed> {
        header.get_mut(4..8).ok_or(Malformed)?.fill(0);
        Self::new(header)
    }

    /// Its bytes again, without descriptors.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.data.bytes().to_vec()
    }

    /// How many bytes it has.
    #[must_use]
    pub fn size(&self) -> usize {
        self.data.len()
    }

    /// The header.
    ///
    /// # Errors
    /// [`Malformed`]
    pub fn header(&self) -> Result<Header<'_>, Malformed> {
        let (header, _): (Header<'_>, _) = self.data.deserialize().map_err(|_| Malformed)?;
        if header.primary().protocol_version() == 1 { Ok(header) } else { Err(Malformed) }
    }

    /// The body, if it is of this type.
    ///
    /// # Errors
    /// [`Malformed`]
    pub fn body<T: DeserializeOwned + Type>(&self) -> Result<T, Malformed> {
        if self.header()?.signature().to_string_no_parens() != T::SIGNATURE.to_string_no_parens() {
            return Err(Malformed);
        }
        let body = self.data.slice(self.body..);
        let (value, length) = body.deserialize().map_err(|_| Malformed)?;
        if length == body.bytes().len() { Ok(value) } else { Err(Malformed) }
    }
}

/// Bytes of the header with its padding, and of the body, of a message that starts like this, however
/// many they are.
///
/// # Errors
/// [`Malformed`]
pub fn announced(start: &[u8; START]) -> Result<(usize, usize), Malformed> {
    let [_, _, _, _, b0, b1, b2, b3, _, _, _, _, f0, f1, f2, f3] = *start;
    let number = match endian(start)? {
        Endian::Little => u32::from_le_bytes,
        Endian::Big => u32::from_be_bytes,
    };
    // The specification has no longer message.
    let part = |bytes| usize::try_from(number(bytes)).ok().filter(|size| *size <= 128 << 20);
    let body = part([b0, b1, b2, b3]).ok_or(Malformed)?;
    let fields = part([f0, f1, f2, f3]).ok_or(Malformed)?;
    Ok(((START + fields).next_multiple_of(8), body))
}

fn endian(start: &[u8; START]) -> Result<Endian, Malformed> {
    match start {
        [b'l', ..] => Ok(LE),
        [b'B', ..] => Ok(BE),
        _ => Err(Malformed),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use zbus::Message;

    use super::*;
    use crate::Dictionary;

    fn message(endian: Endian) -> Vec<u8> {
        let call = Message::method_call("/org/totpd/Totp1", "Begin").endian(endian);
        let call = call.interface("org.totpd.Totp1.Login").build(&("alice", Dictionary::new()));
        call.unwrap().data().bytes().to_vec()
    }

    #[test]
    fn a_message_of_either_endian_is_read() {
        for endian in [LE, BE] {
            let bytes = message(endian);
            assert_eq!(length(bytes.first_chunk().unwrap()), Ok(bytes.len()));
            let read = Received::new(bytes).unwrap();
            let header = read.header().unwrap();
            assert_eq!(header.member().unwrap().as_str(), "Begin");
            assert_eq!(read.body::<(String, Dictionary)>().unwrap().0, "alice");
            assert_eq!(read.body::<(String, String)>().unwrap_err(), Malformed);
            assert_eq!(read.body::<(String, String, Dictionary)>().unwrap_err(), Malformed);
        }
    }

    #[test]
    fn one_that_is_too_long_is_refused_from_its_start() {
        for at in [4, 12] {
            for size in [u32::MAX, 1 << 31, 65_537, 65_530] {
                let mut bytes = message(LE);
                bytes[at..at + 4].copy_from_slice(&size.to_le_bytes());
                assert_eq!(length(bytes.first_chunk().unwrap()), Err(Malformed));
            }
        }
    }

    #[test]
    fn the_longest_message_has_64_kib() {
        let mut start = [0; START];
        start[0] = b'l';
        let with = |body: u32, fields: u32| {
            let mut start = start;
            start[4..8].copy_from_slice(&body.to_le_bytes());
            start[12..16].copy_from_slice(&fields.to_le_bytes());
            length(&start)
        };
        assert_eq!(with(65_536 - 216, 200), Ok(65_536));
        assert_eq!(with(65_536 - 215, 200), Err(Malformed));
        assert_eq!(with(0, 65_536 - 16), Ok(65_536));
    }

    proptest! {
        #[test]
        fn no_bytes_do_harm(bytes: Vec<u8>, at in 0_usize..200, change: u8) {
            let mut near = message(LE);
            let at = at % near.len();
            near[at] = change;
            for bytes in [bytes, near] {
                if let Ok(read) = Received::new(bytes) {
                    let _ = read.header();
                    let _ = read.body::<(String, String, Dictionary)>();
                    let _ = read.body::<(String, Dictionary)>();
                }
            }
        }
    }
}
