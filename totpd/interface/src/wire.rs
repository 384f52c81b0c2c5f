//! Messages of D-Bus as bytes (D-Bus specification, "Message Format").
//!
//! This file finds the end of a message and the start of its body. Below it, [`call`] writes the
//! calls of a login and [`message`] reads their replies, for the module. On the other side,
//! [`question`] reads the calls and [`answer`] writes the replies. Nothing here needs zbus, because
//! a login loads this code into the programs of others.

pub mod answer;
pub mod call;
pub mod message;
pub mod question;

mod reader;
mod signature;
mod value;
mod writer;

/// The maximum number of bytes of a message. Requests and replies need a hundredth of it.
pub const MAX_MESSAGE: usize = 64 * 1024;
/// The number of bytes of a header up to its fields. These bytes hold the length of the message.
pub const FIXED_HEADER: usize = 16;
/// The version of the protocol, which every message names.
pub(crate) const PROTOCOL_VERSION: u8 = 1;
/// Room for the greeting of the greatest user.
const GREETING_BYTES: usize = 48;
/// The maximum number of bytes of a message, in the D-Bus specification.
const MAX_SPECIFIED: usize = 128 << 20;

/// The error of bytes that are no message, or a message too long or of an unwanted kind.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Malformed;

/// The bytes of each part of a message.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Lengths {
    /// The bytes of the header, with its padding.
    pub header: usize,
    /// The bytes of the body.
    pub body: usize,
}

/// The byte order of a number.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum ByteOrder {
    Big,
    Little,
}

/// Returns the first bytes of a client that runs as the user `uid`. The kernel vouches for the
/// client, and no file descriptors are passed. Therefore the two sides negotiate nothing, and the
/// message can follow at once.
#[must_use]
pub fn greeting(uid: u32) -> String {
    let mut greeting = String::with_capacity(GREETING_BYTES);
    greeting.push_str("\0AUTH EXTERNAL ");
    let digits = uid.checked_ilog10().unwrap_or(0);
    for place in (0..=digits).rev() {
        // The decimal digits in hexadecimal: their code in ASCII is 0x30 to 0x39.
        let digit = uid / 10_u32.pow(place) % 10;
        greeting.push('3');
        greeting.extend(char::from_digit(digit, 10));
    }
    greeting.push_str("\r\nBEGIN\r\n");
    greeting
}

/// Returns the lengths of the parts of a message that starts with these bytes. The message may be
/// longer than [`MAX_MESSAGE`].
///
/// # Errors
/// [`Malformed`] if it is no message of the D-Bus specification.
pub fn lengths(start: &[u8; FIXED_HEADER]) -> Result<Lengths, Malformed> {
    let [_, _, _, _, b0, b1, b2, b3, _, _, _, _, f0, f1, f2, f3] = *start;
    let number = match byte_order(start)? {
        ByteOrder::Little => u32::from_le_bytes,
        ByteOrder::Big => u32::from_be_bytes,
    };
    let part = |bytes| usize::try_from(number(bytes)).ok().filter(|size| *size <= MAX_SPECIFIED);
    let body = part([b0, b1, b2, b3]).ok_or(Malformed)?;
    let fields = part([f0, f1, f2, f3]).ok_or(Malformed)?;
    let lengths = Lengths { header: (FIXED_HEADER + fields).next_multiple_of(8), body };
    if lengths.message() > MAX_SPECIFIED { Err(Malformed) } else { Ok(lengths) }
}

/// Takes the next message off the front of `buffer`. Returns `None` until all bytes of the message
/// have arrived.
///
/// # Errors
/// [`Malformed`] if it is no message, or longer than [`MAX_MESSAGE`].
pub fn take_message(buffer: &mut Vec<u8>) -> Result<Option<Vec<u8>>, Malformed> {
    let Some(length) = next_message(buffer)?.map(<[u8]>::len) else { return Ok(None) };
    let rest = buffer.split_off(length);
    Ok(Some(std::mem::replace(buffer, rest)))
}

/// Returns the message at the front of `buffer`, as [`take_message`] does, and leaves it there.
///
/// # Errors
/// [`Malformed`] if it is no message, or longer than [`MAX_MESSAGE`].
pub fn next_message(buffer: &[u8]) -> Result<Option<&[u8]>, Malformed> {
    let Some(start) = buffer.first_chunk() else { return Ok(None) };
    let lengths = lengths(start)?;
    if lengths.is_too_long() { Err(Malformed) } else { Ok(buffer.get(..lengths.message())) }
}

impl Lengths {
    /// Returns the number of bytes of the whole message.
    #[must_use]
    pub fn message(self) -> usize {
        self.header + self.body
    }

    /// Reports whether the message is longer than [`MAX_MESSAGE`].
    #[must_use]
    pub fn is_too_long(self) -> bool {
        self.message() > MAX_MESSAGE
    }
}

/// Returns the lengths and the byte order of bytes that are one message.
///
/// # Errors
/// [`Malformed`] if the bytes are not one message of at most [`MAX_MESSAGE`] bytes.
pub(crate) fn layout(bytes: &[u8]) -> Result<(Lengths, ByteOrder), Malformed> {
    let start = bytes.first_chunk().ok_or(Malformed)?;
    let lengths = lengths(start)?;
    if lengths.is_too_long() || lengths.message() != bytes.len() {
        return Err(Malformed);
    }
    Ok((lengths, byte_order(start)?))
}

pub(crate) fn byte_order(start: &[u8; FIXED_HEADER]) -> Result<ByteOrder, Malformed> {
    match start {
        [b'l', ..] => Ok(ByteOrder::Little),
        [b'B', ..] => Ok(ByteOrder::Big),
        _ => Err(Malformed),
    }
}

/// The kinds of messages.
pub(crate) const METHOD_CALL: u8 = 1;
pub(crate) const METHOD_RETURN: u8 = 2;
pub(crate) const ERROR: u8 = 3;

/// The codes of the header fields. The last one is the greatest of the specification.
pub(crate) mod field {
    pub(crate) const PATH: u8 = 1;
    pub(crate) const INTERFACE: u8 = 2;
    pub(crate) const MEMBER: u8 = 3;
    pub(crate) const ERROR_NAME: u8 = 4;
    pub(crate) const REPLY_SERIAL: u8 = 5;
    pub(crate) const DESTINATION: u8 = 6;
    pub(crate) const SENDER: u8 = 7;
    pub(crate) const SIGNATURE: u8 = 8;
    pub(crate) const UNIX_FDS: u8 = 9;
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the start of a message with these numbers of bytes of body and of header fields.
    fn start(body: u32, fields: u32) -> [u8; FIXED_HEADER] {
        let mut start = [0; FIXED_HEADER];
        start[0] = b'l';
        start[4..8].copy_from_slice(&body.to_le_bytes());
        start[12..].copy_from_slice(&fields.to_le_bytes());
        start
    }

    #[test]
    fn a_message_that_is_too_long_is_refused_from_its_header() {
        for size in [u32::MAX, 1 << 31, 65_537, 65_530] {
            for start in [start(size, 8), start(8, size)] {
                assert_eq!(take_message(&mut start.to_vec()), Err(Malformed));
            }
        }
        assert_eq!(lengths(&start(u32::MAX, 8)), Err(Malformed));
        assert!(lengths(&start(1 << 20, 8)).unwrap().is_too_long(), "a call of it is answered");
        assert_eq!(lengths(&start((128 << 20) - 24, 8)).unwrap().message(), 128 << 20);
        assert_eq!(lengths(&start((128 << 20) - 23, 8)), Err(Malformed));
    }

    #[test]
    fn a_greeting_names_the_user_in_hex_digits() {
        assert_eq!(greeting(u32::MAX), "\0AUTH EXTERNAL 34323934393637323935\r\nBEGIN\r\n");
        assert_eq!(greeting(0), "\0AUTH EXTERNAL 30\r\nBEGIN\r\n");
        assert_eq!(greeting(1000), "\0AUTH EXTERNAL 31303030\r\nBEGIN\r\n");
    }

    #[test]
    fn the_longest_message_has_64_kib() {
        let with = |body, fields| lengths(&start(body, fields)).unwrap();
        assert_eq!(with(65_536 - 216, 200).message(), 65_536);
        assert!(!with(65_536 - 216, 200).is_too_long());
        assert!(with(65_536 - 215, 200).is_too_long());
        assert!(!with(0, 65_536 - 16).is_too_long());
    }

    #[test]
    fn messages_are_taken_one_by_one_when_they_are_whole() {
        let one = [&start(3, 1)[..], &[1; 11]].concat();
        let other = [&start(0, 8)[..], &[2; 8]].concat();
        let stream = [&one[..], &other[..], b"l"].concat();
        for step in 1..=stream.len() {
            let (mut buffer, mut taken) = (Vec::new(), Vec::new());
            for piece in stream.chunks(step) {
                buffer.extend_from_slice(piece);
                while let Some(message) = take_message(&mut buffer).unwrap() {
                    taken.push(message);
                }
            }
            assert_eq!(taken, [one.clone(), other.clone()], "{step} bytes at a time");
            assert_eq!(buffer, [b'l']);
        }
    }
}
