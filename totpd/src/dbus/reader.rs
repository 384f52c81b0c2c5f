//! The reader of the bus. It takes the calls out of the incoming bytes.
//!
//! zbus makes a message of everything that arrives, from any sender and of any length. So this
//! module reads first. A call goes to the gate as bytes and never reaches zbus. The reader discards
//! the body of a long message. zbus gets the answers of the bus and its services.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use totpd_interface::message::Message;
use totpd_interface::wire::{FIXED_HEADER, Malformed, lengths};
use zbus::connection::socket::{ReadHalf, WriteHalf};
use zbus::export::async_trait::async_trait;

use super::desk::Desk;

/// The reading half of the connection.
#[derive(Debug)]
pub(crate) struct Reader {
    source: Source,
    desk: Arc<Desk>,
}

/// The bytes of the socket, with those that were read ahead.
#[derive(Debug)]
struct Source {
    socket: OwnedReadHalf,
    ahead: Vec<u8>,
}

impl Reader {
    /// Returns a reader of `socket` that hands calls to `desk`.
    pub(crate) fn new(socket: OwnedReadHalf, desk: Arc<Desk>) -> Self {
        Self { source: Source { socket, ahead: Vec::new() }, desk }
    }
}

/// `can_pass_unix_fd` stays false. The two sides agree on no descriptors, so the bus passes no
/// message with descriptors.
#[async_trait]
impl ReadHalf for Reader {
    async fn receive_message(
        &mut self,
        sequence: u64,
        already: &mut Vec<u8>,
        passed: &mut Vec<OwnedFd>,
    ) -> zbus::Result<zbus::Message> {
        self.source.ahead.splice(0..0, already.drain(..));
        loop {
            let start = self.source.start().await?;
            let lengths = lengths(&start).map_err(|Malformed| malformed())?;
            let is_call = start.get(1) == Some(&METHOD_CALL);
            if lengths.is_too_long() {
                let is_kept = is_call && lengths.header <= MAX_HEADER_BYTES;
                let length = if is_kept { lengths.header } else { 0 };
                let header_alone = self.source.take(length).await?;
                self.source.skip(lengths.message() - length).await?;
                if let Ok(call) = Message::without_body(header_alone) {
                    self.desk.refuse_as_too_long(&call);
                }
            } else if is_call {
                self.desk.arrive(self.source.message().await?);
            } else {
                return self.source.receive_message(sequence, already, passed).await;
            }
        }
    }

    async fn recvmsg(&mut self, buffer: &mut [u8]) -> io::Result<(usize, Vec<OwnedFd>)> {
        self.source.recvmsg(buffer).await
    }
}

#[async_trait]
impl ReadHalf for Source {
    async fn recvmsg(&mut self, buffer: &mut [u8]) -> io::Result<(usize, Vec<OwnedFd>)> {
        if self.ahead.is_empty() {
            return Ok((read(&self.socket, buffer).await?, Vec::new()));
        }
        let length = buffer.len().min(self.ahead.len());
        for (to, from) in buffer.iter_mut().zip(self.ahead.drain(..length)) {
            *to = from;
        }
        Ok((length, Vec::new()))
    }
}

impl Source {
    /// Returns the start of the next message, and leaves it in the buffer.
    async fn start(&mut self) -> io::Result<[u8; FIXED_HEADER]> {
        loop {
            match self.ahead.first_chunk() {
                Some(start) => return Ok(*start),
                None => self.read_on().await?,
            }
        }
    }

    /// Returns the next message.
    async fn message(&mut self) -> zbus::Result<Message> {
        loop {
            match Message::take(&mut self.ahead).map_err(|Malformed| malformed())? {
                Some(message) => return Ok(message),
                None => self.read_on().await?,
            }
        }
    }

    /// Returns the next bytes.
    async fn take(&mut self, length: usize) -> io::Result<Vec<u8>> {
        while self.ahead.len() < length {
            self.read_on().await?;
        }
        let rest = self.ahead.split_off(length);
        Ok(std::mem::replace(&mut self.ahead, rest))
    }

    /// Reads so many bytes, and keeps none of them.
    async fn skip(&mut self, mut length: usize) -> io::Result<()> {
        loop {
            let here = length.min(self.ahead.len());
            self.ahead.drain(..here);
            length -= here;
            if length == 0 {
                return Ok(());
            }
            self.read_on().await?;
        }
    }

    async fn read_on(&mut self) -> io::Result<()> {
        // A flood on the bus must not delay other work in this thread.
        tokio::task::yield_now().await;
        let mut bytes = [0; READ_BYTES];
        let length = read(&self.socket, &mut bytes).await?;
        let data = bytes.get(..length).filter(|data| !data.is_empty());
        self.ahead.extend_from_slice(data.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }
}

async fn read(socket: &OwnedReadHalf, buffer: &mut [u8]) -> io::Result<usize> {
    loop {
        socket.readable().await?;
        match socket.try_read(buffer) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            read => return read,
        }
    }
}

/// The writing half of the connection.
#[derive(Debug)]
pub(crate) struct Writer(pub(crate) OwnedWriteHalf);

#[async_trait]
impl WriteHalf for Writer {
    async fn sendmsg(
        &mut self,
        bytes: &[u8],
        _: &[std::os::fd::BorrowedFd<'_>],
    ) -> io::Result<usize> {
        loop {
            self.0.writable().await?;
            match self.0.try_write(bytes) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                written => return written,
            }
        }
    }

    async fn close(&mut self) -> io::Result<()> {
        rustix::net::shutdown(self.0.as_ref(), rustix::net::Shutdown::Both)?;
        Ok(())
    }
}

fn malformed() -> zbus::Error {
    io::Error::from(io::ErrorKind::InvalidData).into()
}

/// The message type of a call (D-Bus specification, "Message Format").
const METHOD_CALL: u8 = 1;
/// The maximum number of bytes of a header that the reader looks at to refuse a long message. The
/// headers of totpd have two hundred.
const MAX_HEADER_BYTES: usize = 4096;
/// The number of bytes of one read.
const READ_BYTES: usize = 16 * 1024;
