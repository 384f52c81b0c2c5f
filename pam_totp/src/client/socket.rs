//! A request over the private socket: one thread, one connection, no bus, and nothing stays open.

use std::time::Instant;

use rustix::fd::OwnedFd;
use rustix::io::Errno;
use rustix::net::sockopt::{Timeout, set_socket_timeout};
use rustix::net::{RecvFlags, SendFlags, recv, send};
use totpd_interface::message::Message;
use totpd_interface::wire::{GREETING, Malformed};
use totpd_interface::{Error, LOGIN, PATH, PRIVATE_SOCKET};
use zbus::message::Type;

use super::connect::{connect, from_errno, time_left};
use super::request::{Reply, Request, RequestError};

/// Sends the request and waits for the reply until the deadline.
pub(super) fn ask(request: &Request<'_>, deadline: Instant) -> Result<Reply, RequestError> {
    let call = build_call(request).map_err(|error| RequestError::Fatal(Error::Bus(error)))?;
    let mut socket = Socket::connect(deadline)?;
    socket.send(&[GREETING.as_bytes(), call.data().bytes()].concat())?;
    socket.wait_for_ok()?;
    let reply = socket.receive_reply(&call)?;
    let header = reply.header().map_err(malformed)?;
    match (header.message_type(), header.error_name()) {
        (Type::MethodReturn, _) => reply.body().map_err(malformed),
        (Type::Error, Some(name)) => {
            let name = name.to_owned().into();
            let error = zbus::Error::MethodError(name, reply.body().ok(), call);
            Err(RequestError::Fatal(error.into()))
        }
        _ => Err(malformed(Malformed)),
    }
}

fn build_call(request: &Request<'_>) -> zbus::Result<zbus::Message> {
    let call = |member| zbus::Message::method_call(PATH, member).interface(LOGIN);
    match request {
        Request::Begin(user, context) => call("Begin").build(&(user, context)),
        Request::Verify(user, code, context) => call("Verify").build(&(user, code, context)),
        Request::CompleteEnrollment(token, context) => {
            call("CompleteEnrollment").build(&(token, context))
        }
    }
}

/// A connection, and the bytes that were received and not read yet.
struct Socket {
    socket: OwnedFd,
    deadline: Instant,
    input: Vec<u8>,
}

impl Socket {
    fn connect(deadline: Instant) -> Result<Self, RequestError> {
        let result = connect(PRIVATE_SOCKET, deadline)?;
        let socket = result.map_err(|error| match error {
            // A killed daemon leaves its socket behind.
            Errno::CONNREFUSED => RequestError::NotRunning,
            Errno::ACCESS | Errno::NOENT | Errno::PERM => RequestError::NoAccess,
            error => from_errno(error),
        })?;
        Ok(Self { socket, deadline, input: Vec::new() })
    }

    /// Waits until the daemon accepts the authentication.
    fn wait_for_ok(&mut self) -> Result<(), RequestError> {
        loop {
            if let Some(end) = self.input.windows(2).position(|two| two == b"\r\n") {
                let line: Vec<u8> = self.input.drain(..end + 2).collect();
                return if line.starts_with(b"OK ") { Ok(()) } else { Err(malformed(Malformed)) };
            }
            self.receive()?;
        }
    }

    /// Returns the reply to `call`. Other messages are skipped.
    fn receive_reply(&mut self, call: &zbus::Message) -> Result<Message, RequestError> {
        loop {
            let Some(message) = Message::take(&mut self.input).map_err(malformed)? else {
                self.receive()?;
                continue;
            };
            let reply_to = message.header().map_err(malformed)?.reply_serial();
            if reply_to == Some(call.primary_header().serial_num()) {
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
                // The other end closed with unread bytes (unix(7)): the daemon ended before it read
                // the request.
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

    /// Sends all bytes. A closed connection must not raise SIGPIPE in the host.
    fn send(&self, mut bytes: &[u8]) -> Result<(), RequestError> {
        while !bytes.is_empty() {
            match send(&self.socket, bytes, SendFlags::NOSIGNAL) {
                Ok(length) => bytes = bytes.get(length..).unwrap_or_default(),
                Err(Errno::INTR) => {}
                // Not all bytes were sent, so the daemon has no whole request.
                Err(Errno::PIPE | Errno::CONNRESET) => return Err(RequestError::NotDelivered),
                Err(error) => return Err(from_errno(error)),
            }
        }
        Ok(())
    }
}

fn malformed(_: Malformed) -> RequestError {
    RequestError::Fatal(Error::Bus(zbus::Error::InvalidReply))
}
