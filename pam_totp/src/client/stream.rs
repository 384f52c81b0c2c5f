//! A connection that speaks D-Bus: one thread, and nothing stays open.

use std::num::NonZeroU32;
use std::time::Instant;

use rustix::fd::OwnedFd;
use rustix::io::Errno;
use rustix::net::sockopt::{Timeout, set_socket_timeout};
use rustix::net::{RecvFlags, SendFlags, recv, send};
use totpd_interface::wire::message::Message;
use totpd_interface::wire::{Malformed, take_message};

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
            if let Some(end) = self.input.windows(2).position(|two| two == b"\r\n") {
                let line: Vec<u8> = self.input.drain(..end + 2).collect();
                return if line.starts_with(b"OK ") { Ok(()) } else { Err(malformed(Malformed)) };
            }
            self.receive()?;
        }
    }

    /// Returns the message that answers the call of that serial. Other messages are skipped.
    pub(super) fn receive_reply(&mut self, serial: NonZeroU32) -> Result<Vec<u8>, RequestError> {
        loop {
            let Some(message) = take_message(&mut self.input).map_err(malformed)? else {
                self.receive()?;
                continue;
            };
            let parsed = Message::parse(&message).map_err(malformed)?;
            if parsed.reply_to(serial).map_err(malformed)?.is_some() {
                return Ok(message);
            }
        }
    }

    fn receive(&mut self) -> Result<(), RequestError> {
        let mut buffer = [0; 1024];
        loop {
            // Each round sets the timeout, because a timer of the host may interrupt.
            set_socket_timeout(&self.socket, Timeout::Recv, Some(time_left(self.deadline)?))
                .map_err(from_errno)?;
            return match recv(&self.socket, &mut buffer, RecvFlags::empty()) {
                Ok((0, _)) => Err(RequestError::ReplyLost),
                // The other end closed with unread bytes (unix(7)): it ended before it read the
                // request.
                Err(Errno::CONNRESET) => Err(RequestError::NotDelivered),
                Ok((length, _)) => {
                    self.input.extend_from_slice(buffer.get(..length).unwrap_or_default());
                    Ok(())
                }
                Err(Errno::INTR) => continue,
                Err(error) => Err(from_errno(error)),
            };
        }
    }
}
