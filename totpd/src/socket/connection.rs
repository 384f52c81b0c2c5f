//! One connection of the private socket: the handshake, then the calls of a login and their
//! answers. The bytes are those of [`totpd_interface::wire`]. A client that negotiates descriptors
//! logs nobody in, and [`Management`] serves it.

use std::io;
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use totpd_interface::wire::{Malformed, next_message};
use totpd_store::blocking;

use crate::access::origin::Origin;
use crate::dispatch::{LoginAnswer, Services};
use crate::socket::handshake::{Handshake, Progress};
use crate::socket::management::Management;
use crate::socket::stream::Stream;

/// A connection, with its bytes that are not yet read or sent.
pub(crate) struct Connection {
    stream: Stream,
    handshake: Arc<Handshake>,
    input: Vec<u8>,
    /// The bytes to send before the connection waits for more input.
    output: Vec<u8>,
}

impl Connection {
    /// Returns a connection of the user who may do this handshake, as the kernel names the user.
    ///
    /// # Errors
    /// The errors of the system.
    pub(crate) fn new(stream: UnixStream, handshake: Arc<Handshake>) -> io::Result<Self> {
        let stream = Stream::new(stream)?;
        Ok(Self { stream, handshake, input: Vec::new(), output: Vec::new() })
    }

    /// Answers until the client has the answer to a question of a module, closes, is idle, or sends
    /// malformed bytes. Returns the connection if the client negotiates descriptors. The thread of
    /// the socket needs the `turn` to block.
    ///
    /// The daemon closes first. To wait for the module would wake this thread once more, and the
    /// login would wait for that.
    ///
    /// # Errors
    /// The errors of the system.
    pub(crate) async fn serve(
        mut self,
        services: Services,
        turn: Arc<Mutex<()>>,
    ) -> io::Result<Option<Management>> {
        if self.authenticate().await? {
            self.send().await?;
            return Ok(Some(Management::new(self.stream.into_async()?, self.input)));
        }
        let origin = Origin::root();
        let mut answered = 0_u32;
        loop {
            let Some(message) = next_message(&self.input).map_err(|Malformed| malformed())? else {
                self.receive().await?;
                continue;
            };
            // The other interfaces would keep this thread from logins.
            let answer = blocking::in_turn(&turn, services.answer_login(message, &origin)).await;
            match answer.map_err(|Malformed| malformed())? {
                LoginAnswer::ToModule(answer) => {
                    self.output.extend_from_slice(&answer);
                    self.send().await?;
                    return Ok(None);
                }
                LoginAnswer::ToOther(answer) => {
                    self.output.extend_from_slice(answer.as_deref().unwrap_or_default());
                }
            }
            let length = message.len();
            // The allocator wipes the buffer with the code. To drain it would leave the code there.
            self.input = self.input.split_off(length);
            answered = answered.wrapping_add(1);
            if answered.is_multiple_of(MESSAGES_PER_POLL) {
                // A poll that always finds a message would never end, nor look at the timeout.
                tokio::task::yield_now().await;
            }
        }
    }

    /// Does the handshake. Returns whether the client negotiates descriptors.
    async fn authenticate(&mut self) -> io::Result<bool> {
        let mut state = Progress::default();
        for number in 0..MAX_HANDSHAKE_LINES {
            let end = self.end_of_line().await?;
            let line = self.input.get(..end).and_then(|line| str::from_utf8(line).ok());
            let line = line.ok_or_else(malformed)?;
            // The first byte of a connection is zero.
            let line = if number == 0 { line.strip_prefix('\0').unwrap_or("") } else { line };
            let answer = self.handshake.answer(line, &mut state);
            self.output.extend_from_slice(answer.unwrap_or_default().as_bytes());
            let is_over = answer.is_none();
            self.input.drain(..end + LINE_END.len());
            if is_over {
                return Ok(state.passes_descriptors);
            }
        }
        Err(malformed())
    }

    /// Waits for a line at the start of the input. Returns its bytes without the end.
    async fn end_of_line(&mut self) -> io::Result<usize> {
        loop {
            if let Some(end) = self.input.windows(2).position(|two| two == LINE_END) {
                return Ok(end);
            }
            if self.input.len() > MAX_LINE_BYTES {
                return Err(malformed());
            }
            self.receive().await?;
        }
    }

    async fn send(&mut self) -> io::Result<()> {
        let output = std::mem::take(&mut self.output);
        self.stream.write(&output).await
    }

    /// Sends the output, and waits for input, but not for long. No connection is open while a
    /// person types.
    async fn receive(&mut self) -> io::Result<()> {
        self.send().await?;
        if self.stream.read_now(&mut self.input)? {
            return Ok(());
        }
        tokio::time::timeout(IDLE_TIMEOUT, self.stream.read(&mut self.input)).await?
    }
}

fn malformed() -> io::Error {
    io::ErrorKind::InvalidData.into()
}

/// The time that the client may send nothing.
const IDLE_TIMEOUT: Duration = Duration::from_secs(2);
/// The messages that one poll answers.
const MESSAGES_PER_POLL: u32 = 8;
const LINE_END: &[u8] = b"\r\n";
const MAX_HANDSHAKE_LINES: u32 = 16;
const MAX_LINE_BYTES: usize = 256;

#[cfg(test)]
mod tests;
