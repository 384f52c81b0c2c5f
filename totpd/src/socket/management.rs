//! A connection of the private socket that negotiated descriptors. The daemon serves all interfaces
//! there, without a limit on the time. The runtime works on several calls at a time.

use std::collections::VecDeque;
use std::io::{self, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::Duration;

use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags, recvmsg};
use tokio::io::Interest;
use tokio::net::UnixStream;
use tokio::sync::{Semaphore, mpsc};
use totpd_interface::message::Message;
use totpd_interface::wire::{Malformed, take_message};

use crate::access::origin::Origin;
use crate::dispatch::Services;

/// A connection of root, after the handshake.
pub(crate) struct Management {
    stream: Arc<UnixStream>,
    input: Vec<u8>,
    /// The descriptors of messages that are not complete yet.
    fds: VecDeque<OwnedFd>,
}

impl Management {
    /// Returns the connection. The caller already read `input` from it.
    pub(crate) fn new(stream: UnixStream, input: Vec<u8>) -> Self {
        Self { stream: Arc::new(stream), input, fds: VecDeque::new() }
    }

    /// Answers until the client closes, is idle, or sends malformed bytes.
    ///
    /// # Errors
    /// The errors of the system.
    pub(crate) async fn serve(mut self, services: Services) -> io::Result<()> {
        let (answers, to_send) = mpsc::channel(MAX_CONCURRENT_CALLS);
        tokio::spawn(send_all(Arc::clone(&self.stream), to_send));
        let permits = Arc::new(Semaphore::new(MAX_CONCURRENT_CALLS));
        loop {
            let message = match tokio::time::timeout(IDLE_TIMEOUT, self.message()).await {
                Ok(message) => message?,
                // A client that waits for an answer sends nothing.
                Err(_) if permits.available_permits() < MAX_CONCURRENT_CALLS => continue,
                Err(idle) => return Err(idle.into()),
            };
            let Ok(permit) = Arc::clone(&permits).acquire_owned().await else { return Ok(()) };
            let (services, answers) = (services.clone(), answers.clone());
            tokio::spawn(async move {
                if let Ok(Some(answer)) = services.answer(&message, &Origin::root()).await {
                    let _ = answers.send(answer).await;
                }
                drop(permit);
            });
        }
    }

    /// Returns the next message, with its descriptors.
    async fn message(&mut self) -> io::Result<Message> {
        loop {
            match take_message(&mut self.input).map_err(malformed)? {
                Some(bytes) => return self.with_descriptors(bytes),
                None => self.receive().await?,
            }
        }
    }

    /// Returns the message of these bytes. Descriptors arrive in the order of their messages.
    fn with_descriptors(&mut self, bytes: Vec<u8>) -> io::Result<Message> {
        let alone = Message::new(bytes).map_err(malformed)?;
        let wanted = alone.header().map_err(malformed)?.unix_fds().unwrap_or(0) as usize;
        if wanted == 0 {
            return Ok(alone);
        }
        if wanted > self.fds.len() {
            return Err(malformed(Malformed));
        }
        let fds = self.fds.drain(..wanted).collect();
        Message::with_descriptors(alone.into_bytes(), fds).map_err(malformed)
    }

    async fn receive(&mut self) -> io::Result<()> {
        loop {
            self.stream.readable().await?;
            match self.stream.try_io(Interest::READABLE, || read(&self.stream)) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                read => {
                    let (bytes, fds) = read?;
                    if bytes.is_empty() {
                        return Err(io::ErrorKind::UnexpectedEof.into());
                    }
                    self.input.extend_from_slice(&bytes);
                    self.fds.extend(fds);
                    if self.fds.len() > MAX_PENDING_DESCRIPTORS {
                        return Err(malformed(Malformed));
                    }
                    return Ok(());
                }
            }
        }
    }
}

/// Returns bytes, and descriptors that came with them.
fn read(stream: &UnixStream) -> io::Result<(Vec<u8>, Vec<OwnedFd>)> {
    let mut bytes = vec![0; READ_BYTES];
    let mut space =
        [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MAX_PENDING_DESCRIPTORS))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let into = &mut [IoSliceMut::new(&mut bytes)];
    let message_info = recvmsg(stream, into, &mut control, RecvFlags::CMSG_CLOEXEC)?;
    let mut fds = Vec::new();
    for message in control.drain() {
        if let RecvAncillaryMessage::ScmRights(descriptors) = message {
            fds.extend(descriptors);
        }
    }
    if message_info.flags.contains(ReturnFlags::CTRUNC) {
        return Err(malformed(Malformed));
    }
    bytes.truncate(message_info.bytes);
    Ok((bytes, fds))
}

/// Sends answers in the order in which they are ready, until their senders are gone.
async fn send_all(stream: Arc<UnixStream>, mut answers: mpsc::Receiver<zbus::Message>) {
    while let Some(answer) = answers.recv().await {
        let mut bytes = answer.data().bytes();
        while !bytes.is_empty() {
            if stream.writable().await.is_err() {
                return;
            }
            match stream.try_write(bytes) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(_) => return,
                Ok(length) => bytes = bytes.get(length..).unwrap_or_default(),
            }
        }
    }
}

fn malformed(Malformed: Malformed) -> io::Error {
    io::ErrorKind::InvalidData.into()
}

/// The calls of a connection that are worked on at a time. A batch shares the flushes of the disk.
const MAX_CONCURRENT_CALLS: usize = 64;
/// The maximum number of descriptors that wait. A message has one descriptor.
const MAX_PENDING_DESCRIPTORS: usize = 4;
const READ_BYTES: usize = 4096;
/// The time that the client may send nothing while the daemon works on no call.
const IDLE_TIMEOUT: Duration = Duration::from_secs(600);
