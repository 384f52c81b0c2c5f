//! A connection that speaks D-Bus: one thread, and nothing stays open.

use std::num::NonZeroU32;
use std::time::Instant;

use rustix::buffer::spare_capacity;
use rustix::fd::OwnedFd;
use rustix::io::Errno;
use rustix::net::sockopt::{Timeout, set_socket_timeout};
use rustix::net::{RecvFlags, SendFlags, recv, send};
use totpd_interface::wire::message::{Message, Reply as Answer, is_answer_to};
use totpd_interface::wire::{Lengths, MAX_MESSAGE, Malformed, lengths, next_message, take_message};

use super::connect::{from_errno, time_left};
use super::request::{RequestError, malformed};

/// A connection, and the bytes that were received and not read yet.
pub(super) struct Stream {
    socket: OwnedFd,
    /// The moment at which sending and receiving end.
    pub(super) deadline: Instant,
    input: Vec<u8>,
}

impl Stream {
    pub(super) fn new(socket: OwnedFd, deadline: Instant) -> Self {
        Self { socket, deadline, input: Vec::new() }
    }

    /// Sends all bytes. A closed connection must not raise SIGPIPE in the host.
    pub(super) fn send(&self, mut bytes: &[u8]) -> Result<(), RequestError> {
        while !bytes.is_empty() {
            set_socket_timeout(&self.socket, Timeout::Send, Some(time_left(self.deadline)?))
                .map_err(from_errno)?;
            match send(&self.socket, bytes, SendFlags::NOSIGNAL) {
                Ok(length) => bytes = bytes.get(length..).unwrap_or_default(),
                Err(Errno::INTR) => {}
                // Not all bytes were sent, so the other end has no whole request.
                Err(Errno::PIPE | Errno::CONNRESET) => return Err(RequestError::NotDelivered),
                Err(error) => return Err(from_errno(error)),
            }
        }
        Ok(())
    }

    /// Waits until the other end accepts the authentication.
    pub(super) fn wait_for_ok(&mut self) -> Result<(), RequestError> {
        loop {
            let start = self.input.get(..MAX_OK_LINE).unwrap_or(&self.input);
            if let Some(end) = start.windows(2).position(|two| two == b"\r\n") {
                let is_ok = start.starts_with(b"OK ");
                self.input.drain(..end + 2);
                return if is_ok { Ok(()) } else { Err(malformed(Malformed)) };
            }
            if start.len() == MAX_OK_LINE {
                return Err(malformed(Malformed));
            }
            self.receive()?;
        }
    }

    /// Receives the message that answers the call of that serial, and hands it to `read`.
    ///
    /// Any user may send messages to this connection over the bus. So messages that answer nothing
    /// are discarded until the deadline, also if they are malformed or longer than [`MAX_MESSAGE`].
    pub(super) fn receive_reply(
        &mut self,
        serial: NonZeroU32,
        read: &mut dyn FnMut(&Message<'_>, Answer<'_>),
    ) -> Result<(), RequestError> {
        loop {
            let lengths = self.receive_lengths()?;
            if self.read_at_once(serial, read) {
                return Ok(());
            }
            if !self.is_reply(lengths, serial)? {
                self.discard(lengths.message())?;
                continue;
            }
            // The length is judged before the body comes.
            let message = loop {
                match take_message(&mut self.input).map_err(malformed)? {
                    Some(message) => break message,
                    None => self.receive()?,
                }
            };
            let parsed = Message::parse(&message).map_err(malformed)?;
            if let Some(answer) = parsed.reply_to(serial).map_err(malformed)? {
                read(&parsed, answer);
                return Ok(());
            }
        }
    }

    /// Does so with the next message if all of it is there, and answers the call. Its header is
    /// then read once. Reports whether it did.
    fn read_at_once(
        &mut self,
        serial: NonZeroU32,
        read: &mut dyn FnMut(&Message<'_>, Answer<'_>),
    ) -> bool {
        let Ok(Some(bytes)) = next_message(&self.input) else { return false };
        let Ok(message) = Message::parse(bytes) else { return false };
        let Ok(Some(answer)) = message.reply_to(serial) else { return false };
        read(&message, answer);
        let length = bytes.len();
        self.input.drain(..length);
        true
    }

    /// Receives until the lengths of the next message are known.
    fn receive_lengths(&mut self) -> Result<Lengths, RequestError> {
        loop {
            match self.input.first_chunk() {
                Some(start) => return lengths(start).map_err(malformed),
                None => self.receive()?,
            }
        }
    }

    /// Reports whether the next message answers the call of that serial, once its header is there.
    fn is_reply(&mut self, lengths: Lengths, serial: NonZeroU32) -> Result<bool, RequestError> {
        if lengths.header > MAX_MESSAGE {
            return Ok(false);
        }
        loop {
            match self.input.get(..lengths.header) {
                Some(header) => return Ok(is_answer_to(serial, header)),
                None => self.receive()?,
            }
        }
    }

    /// Discards so many bytes, without keeping them in memory.
    fn discard(&mut self, length: usize) -> Result<(), RequestError> {
        let mut left = length;
        loop {
            let count = left.min(self.input.len());
            self.input.drain(..count);
            left -= count;
            if left == 0 {
                return Ok(());
            }
            self.receive()?;
        }
    }

    /// Returns the number of bytes that are reserved for what arrives.
    #[cfg(test)]
    pub(super) fn input_capacity(&self) -> usize {
        self.input.capacity()
    }

    /// Receives what has arrived, and waits for it until the deadline.
    fn receive(&mut self) -> Result<(), RequestError> {
        // The bytes may hold a key. The heap is zeroed when it is freed, the host's stack is not.
        self.input.reserve(RECEIVE_BYTES);
        loop {
            // Each round sets the timeout, because a timer of the host may interrupt.
            set_socket_timeout(&self.socket, Timeout::Recv, Some(time_left(self.deadline)?))
                .map_err(from_errno)?;
            let (_, received) =
                match recv(&self.socket, spare_capacity(&mut self.input), RecvFlags::empty()) {
                    Err(Errno::INTR) => continue,
                    // The other end closed with unread bytes (unix(7)): it ended before it read the
                    // request.
                    Err(Errno::CONNRESET) => return Err(RequestError::NotDelivered),
                    result => result.map_err(from_errno)?,
                };
            return if received == 0 { Err(RequestError::ReplyLost) } else { Ok(()) };
        }
    }
}

/// The longest line that accepts the authentication. A bus sends 37 bytes.
const MAX_OK_LINE: usize = 256;
/// The least room for what arrives at once. A reply with a prompt has less than half of it. What is
/// reserved is zeroed, so more would cost each login.
const RECEIVE_BYTES: usize = 512;
