//! A connection of the private socket over which descriptors pass: all interfaces are served there, for as
//! long as it takes. What is asked is worked on side by side, and in the runtime.

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

/// A connection of root, greeted.
pub(crate) struct Management {
    stream: Arc<UnixStream>,
    input: Vec<u8>,
    /// What came with the bytes and belongs to a message that is not whole yet.
    passed: VecDeque<OwnedFd>,
}

impl Management {
    /// Goes on with a connection, of whose bytes these were read already.
    pub(crate) fn new(stream: UnixStream, input: Vec<u8>) -> Self {
        Self { stream: Arc::new(stream), input, passed: VecDeque::new() }
    }

    /// Answers until the other end closes, says nothing for long, or what cannot be understood.
    ///
    /// # Errors
    /// Of the system.
    pub(crate) async fn serve(mut self, services: Services) -> io::Result<()> {
        let (answers, to_send) = mpsc::channel(SIDE_BY_SIDE);
        tokio::spawn(send_all(Arc::clone(&self.stream), to_send));
        let room = Arc::new(Semaphore::new(SIDE_BY_SIDE));
        loop {
            let message = match tokio::time::timeout(IDLE, self.message()).await {
                Ok(message) => message?,
                // Who waits for an answer has nothing to say.
                Err(_) if room.available_permits() < SIDE_BY_SIDE => continue,
                Err(idle) => return Err(idle.into()),
            };
            let Ok(place) = Arc::clone(&room).acquire_owned().await else { return Ok(()) };
            let (services, answers) = (services.clone(), answers.clone());
            tokio::spawn(async move {
                if let Ok(Some(answer)) = services.answer(&message, &Origin::root()).await {
                    let _ = answers.send(answer).await;
                }
                drop(place);
            });
        }
    }

    /// The next message, with its descriptors.
    async fn message(&mut self) -> io::Result<Message> {
        loop {
            match take_message(&mut self.input).map_err(malformed)? {
                Some(bytes) => return self.with_its_descriptors(bytes),
                None => self.receive().await?,
            }
        }
    }

    /// Messages have their descriptors in the order in which they are sent.
    fn with_its_descriptors(&mut self, bytes: Vec<u8>) -> io::Result<Message> {
        let alone = Message::new(bytes).map_err(malformed)?;
        let wanted = alone.header().map_err(malformed)?.unix_fds().unwrap_or(0) as usize;
        if wanted == 0 {
            return Ok(alone);
        }
        if wanted > self.passed.len() {
            return Err(malformed(Malformed));
        }
        let passed = self.passed.drain(..wanted).collect();
        Message::with_descriptors(alone.into_bytes(), passed).map_err(malformed)
    }

    async fn receive(&mut self) -> io::Result<()> {
        loop {
            self.stream.readable().await?;
            match self.stream.try_io(Interest::READABLE, || read(&self.stream)) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                read => {
                    let (bytes, passed) = read?;
                    if bytes.is_empty() {
                        return Err(io::ErrorKind::UnexpectedEof.into());
                    }
                    self.input.extend_from_slice(&bytes);
                    self.passed.extend(passed);
                    if self.passed.len() > MOST_DESCRIPTORS {
                        return Err(malformed(Malformed));
                    }
                    return Ok(());
                }
            }
        }
    }
}

/// Bytes, and descriptors that came with them.
fn read(stream: &UnixStream) -> io::Result<(Vec<u8>, Vec<OwnedFd>)> {
    let mut bytes = vec![0; PIECE];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MOST_DESCRIPTORS))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let into = &mut [IoSliceMut::new(&mut bytes)];
    let received = recvmsg(stream, into, &mut control, RecvFlags::CMSG_CLOEXEC)?;
    let mut passed = Vec::new();
    for message in control.drain() {
        if let RecvAncillaryMessage::ScmRights(descriptors) = message {
            passed.extend(descriptors);
        }
    }
    if received.flags.contains(ReturnFlags::CTRUNC) {
        return Err(malformed(Malformed));
    }
    bytes.truncate(received.bytes);
    Ok((bytes, passed))
}

/// Sends answers in the order in which they are ready, until nobody has one any more.
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
                Ok(written) => bytes = bytes.get(written..).unwrap_or_default(),
            }
        }
    }
}

fn malformed(Malformed: Malformed) -> io::Error {
    io::ErrorKind::InvalidData.into()
}

/// Questions of a connection that are worked on at a time: a batch shares the flushes of the disk.
const SIDE_BY_SIDE: usize = 64;
/// Descriptors that wait for their message. A message has one.
const MOST_DESCRIPTORS: usize = 4;
const PIECE: usize = 4096;
/// How long the other end may say nothing while nothing is done for it.
const IDLE: Duration = Duration::from_secs(600);
