//! A question over the private socket: one thread, one connection, no bus, and nothing of it left.

use std::time::Instant;

use rustix::fd::OwnedFd;
use rustix::io::Errno;
use rustix::net::sockopt::{Timeout, set_socket_timeout};
use rustix::net::{RecvFlags, SendFlags, recv, send};
use totpd_interface::wire::{self, Malformed, Received};
use totpd_interface::{Error, LOGIN, PATH, PRIVATE_SOCKET};
use zbus::Message;
use zbus::message::Type;

use super::connect::{connect, from_errno, remaining};
use super::request::{Reply, Request, RequestError};

/// Asks, and waits for the answer until the deadline.
pub(super) fn ask(request: &Request<'_>, deadline: Instant) -> Result<Reply, RequestError> {
    let call = build_call(request).map_err(|error| RequestError::Fatal(Error::Bus(error)))?;
    let mut socket = Socket::connect(deadline)?;
    socket.send(&[wire::GREETING.as_bytes(), call.data().bytes()].concat())?;
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

fn build_call(request: &Request<'_>) -> zbus::Result<Message> {
    let call = |member| Message::method_call(PATH, member).interface(LOGIN);
    match request {
        Request::Begin(user, context) => call("Begin").build(&(user, context)),
        Request::Verify(user, code, context) => call("Verify").build(&(user, code, context)),
        Request::CompleteEnrollment(token, context) => {
            call("CompleteEnrollment").build(&(token, context))
        }
    }
}

/// A connection, and what of its words was not looked at yet.
struct Socket {
    socket: OwnedFd,
    deadline: Instant,
    input: Vec<u8>,
}

impl Socket {
    fn connect(deadline: Instant) -> Result<Self, RequestError> {
        let connected = connect(PRIVATE_SOCKET, deadline)?;
        let socket = connected.map_err(|error| match error {
            // A daemon that was killed leaves its socket behind.
            Errno::CONNREFUSED => RequestError::NotRunning,
            Errno::ACCESS | Errno::NOENT | Errno::PERM => RequestError::NoAccess,
            error => from_errno(error),
        })?;
        Ok(Self { socket, deadline, input: Vec::new() })
    }

    /// Waits for the word that this is root's.
    fn wait_for_ok(&mut self) -> Result<(), RequestError> {
        loop {
            if let Some(end) = self.input.windows(2).position(|two| two == b"\r\n") {
                let line: Vec<u8> = self.input.drain(..end + 2).collect();
                return if line.starts_with(b"OK ") { Ok(()) } else { Err(malformed(Malformed)) };
            }
            self.receive()?;
        }
    }

    /// The answer to `call`. Whatever else comes is passed over.
    fn receive_reply(&mut self, call: &Message) -> Result<Received, RequestError> {
        loop {
            if let Some(start) = self.input.first_chunk() {
                let length = wire::length(start).map_err(malformed)?;
                if self.input.len() >= length {
                    let rest = self.input.split_off(length);
                    let message = std::mem::replace(&mut self.input, rest);
                    let message = Received::new(message).map_err(malformed)?;
                    let reply_to = message.header().map_err(malformed)?.reply_serial();
                    if reply_to == Some(call.primary_header().serial_num()) {
                        return Ok(message);
                    }
                    continue;
                }
            }
            self.receive()?;
        }
    }

    fn receive(&mut self) -> Result<(), RequestError> {
        let mut buffer = [0; 1024];
        loop {
            // Each time anew: the host may have a timer that interrupts.
            set_socket_timeout(&self.socket, Timeout::Recv, Some(remaining(self.deadline)?))
                .map_err(from_errno)?;
            return match recv(&self.socket, &mut buffer, RecvFlags::empty()) {
                Ok((0, _)) => Err(RequestError::ReplyLost),
                // So says the kernel where the other end closes with something unread (unix(7)):
                // the daemon ended before it took the request.
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

    /// Sends all of it. A peer that has gone must not raise SIGPIPE in the host.
    fn send(&self, mut bytes: &[u8]) -> Result<(), RequestError> {
        while !bytes.is_empty() {
            match send(&self.socket, bytes, SendFlags::NOSIGNAL) {
                Ok(length) => bytes = bytes.get(length..).unwrap_or_default(),
                Err(Errno::INTR) => {}
                // Not all of it was sent, so none was understood.
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
