//! A message that arrived, as zbus reads it.

use std::os::fd::OwnedFd;

use serde::de::DeserializeOwned;
use zbus::Type;
use zbus::message::Header;
use zbus::wire::serialized::{Context, Data};
use zbus::wire::{BE, LE};

use crate::wire::{ByteOrder, Malformed, PROTOCOL_VERSION, layout, take_message};

/// A message that arrived. Each part is read only when a caller asks for it.
#[derive(Debug)]
pub struct Message {
    data: Data<'static, 'static>,
    header_length: usize,
}

impl Message {
    /// Takes the bytes of one message.
    ///
    /// # Errors
    /// [`Malformed`] if the number of bytes differs from the length in the header.
    pub fn new(bytes: Vec<u8>) -> Result<Self, Malformed> {
        Self::with_descriptors(bytes, Vec::new())
    }

    /// Takes the bytes of one message, and the descriptors that came with it.
    ///
    /// # Errors
    /// [`Malformed`] if the number of bytes differs from the length in the header.
    pub fn with_descriptors(bytes: Vec<u8>, passed: Vec<OwnedFd>) -> Result<Self, Malformed> {
        let (lengths, order) = layout(&bytes)?;
        let endian = match order {
            ByteOrder::Little => LE,
            ByteOrder::Big => BE,
        };
        let data = Data::new_fds(bytes, Context::new(endian, 0), passed);
        Ok(Self { data, header_length: lengths.header })
    }

    /// Takes the next message off the front of `buffer`. Returns `None` until all bytes of the
    /// message have arrived.
    ///
    /// # Errors
    /// [`Malformed`] if it is no message, or longer than [`MAX_MESSAGE`](crate::wire::MAX_MESSAGE).
    pub fn take(buffer: &mut Vec<u8>) -> Result<Option<Self>, Malformed> {
        take_message(buffer)?.map(Self::new).transpose()
    }

    /// Takes the header alone, if nobody wants the body of the message.
    ///
    /// # Errors
    /// [`Malformed`] if the bytes are not one whole header.
    pub fn without_body(mut header: Vec<u8>) -> Result<Self, Malformed> {
        header.get_mut(4..8).ok_or(Malformed)?.fill(0);
        Self::new(header)
    }

    /// Returns the bytes of the message, without descriptors.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.data.bytes().to_vec()
    }

    /// Returns the number of bytes of the message.
    #[must_use]
    pub fn size(&self) -> usize {
        self.data.len()
    }

    /// Returns the header.
    ///
    /// # Errors
    /// [`Malformed`]
    pub fn header(&self) -> Result<Header<'_>, Malformed> {
        let (header, _): (Header<'_>, _) = self.data.deserialize().map_err(|_| Malformed)?;
        if header.primary().protocol_version() == PROTOCOL_VERSION {
            Ok(header)
        } else {
            Err(Malformed)
        }
    }

    /// Returns the body, if it is of this type.
    ///
    /// # Errors
    /// [`Malformed`]
    pub fn body<T: DeserializeOwned + Type>(&self) -> Result<T, Malformed> {
        self.body_after(&self.header()?)
    }

    /// Returns the body, if it is of this type. `header` is the header of this message, which the
    /// caller has read.
    ///
    /// # Errors
    /// [`Malformed`]
    pub fn body_after<T: DeserializeOwned + Type>(
        &self,
        header: &Header<'_>,
    ) -> Result<T, Malformed> {
        if header.signature().to_string_no_parens() != T::SIGNATURE.to_string_no_parens() {
            return Err(Malformed);
        }
        let body = self.data.slice(self.header_length..);
        let (value, length) = body.deserialize().map_err(|_| Malformed)?;
        if length == body.bytes().len() { Ok(value) } else { Err(Malformed) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use zbus::wire::Endian;

    use super::*;
    use crate::variants::Dictionary;

    fn bytes(endian: Endian) -> Vec<u8> {
        let call = zbus::Message::method_call("/org/totpd/Totp1", "Begin").endian(endian);
        let call = call.interface("org.totpd.Totp1.Login").build(&("alice", Dictionary::new()));
        call.unwrap().data().bytes().to_vec()
    }

    #[test]
    fn a_message_of_either_byte_order_is_read() {
        for endian in [LE, BE] {
            let mut buffer = [bytes(endian), b"rest".to_vec()].concat();
            let read = Message::take(&mut buffer).unwrap().unwrap();
            assert_eq!(buffer, b"rest");
            let header = read.header().unwrap();
            assert_eq!(header.member().unwrap().as_str(), "Begin");
            assert_eq!(read.body::<(String, Dictionary)>().unwrap().0, "alice");
            assert_eq!(read.body::<(String, String)>().unwrap_err(), Malformed);
            assert_eq!(read.body::<(String, String, Dictionary)>().unwrap_err(), Malformed);
        }
    }

    #[test]
    fn bytes_beyond_the_message_are_refused() {
        assert_eq!(Message::new([bytes(LE), vec![0]].concat()).unwrap_err(), Malformed);
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_do_not_panic(bytes: Vec<u8>, at in 0_usize..200, change: u8) {
            let mut near = self::bytes(LE);
            let at = at % near.len();
            near[at] = change;
            for bytes in [bytes, near] {
                if let Ok(read) = Message::new(bytes) {
                    let _ = read.header();
                    let _ = read.body::<(String, String, Dictionary)>();
                    let _ = read.body::<(String, Dictionary)>();
                }
            }
        }
    }
}
