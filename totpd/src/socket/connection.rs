//! One connection of the private socket: the greeting, then the calls of a login and their answers. See
//! [`totpd_interface::wire`]. Whoever wants to pass descriptors does not log anybody in, and is served by
//! [`Management`].

use std::io;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::Duration;

use totpd_interface::message::Message;
use totpd_interface::wire::Malformed;
use totpd_interface::{LOGIN, MANAGER, STORE};

use crate::access::caller::Caller;
use crate::access::origin::Origin;
use crate::dispatch::Services;
use crate::socket::management::Management;
use crate::socket::stream::Stream;

/// A connection, and what of its words was not looked at yet.
pub(crate) struct Connection {
    stream: Stream,
    caller: Caller,
    guid: Arc<str>,
    input: Vec<u8>,
    /// What is to be sent before more input is waited for.
    output: Vec<u8>,
}

impl Connection {
    /// A connection of `caller`, whom the kernel vouches for, to the socket of that GUID.
    ///
    /// # Errors
    /// Of the system.
    pub(crate) fn new(stream: UnixStream, caller: Caller, guid: Arc<str>) -> io::Result<Self> {
        let stream = Stream::new(stream)?;
        Ok(Self { stream, caller, guid, input: Vec::new(), output: Vec::new() })
    }

    /// Answers until the other end closes, or says what cannot be understood. Answers the connection, greeted,
    /// where descriptors are to pass.
    ///
    /// # Errors
    /// Of the system.
    pub(crate) async fn serve(mut self, services: Services) -> io::Result<Management> {
        if self.greet().await? {
            self.send().await?;
            return Ok(Management::new(self.stream.into_runtime()?, self.input));
        }
        let origin = Origin::root();
        loop {
            let message = self.message().await?;
            let header = message.header().map_err(|Malformed| malformed())?;
            let interface = header.interface().map_or(LOGIN, |name| name.as_str());
            // The rest takes longer than a login may, and keeps this thread from logins.
            let answer = if matches!(interface, MANAGER | STORE) {
                zbus::Message::error(&header, UNKNOWN_METHOD)
                    .build(&NEGOTIATE)
                    .map(Some)
                    .map_err(|_| malformed())
            } else {
                services.answer(&message, &origin).await.map_err(|Malformed| malformed())
            };
            if let Some(answer) = answer? {
                self.output.extend_from_slice(answer.data().bytes());
            }
        }
    }

    /// The handshake (D-Bus specification, "Authentication Protocol"), of which EXTERNAL is the only
    /// mechanism: who the other end is was known before it said a word.
    /// Whether descriptors are to pass.
    async fn greet(&mut self) -> io::Result<bool> {
        let ok = format!("OK {}\r\n", self.guid);
        let external = format!("AUTH EXTERNAL {}", hex(&self.caller.uid.to_string()));
        let (mut known, mut descriptors_pass) = (false, false);
        for line in 0..LINES {
            let told = self.line().await?;
            // The first byte of a connection is nought.
            let told = if line == 0 { told.strip_prefix('\0').unwrap_or("") } else { &told };
            let answer = match told {
                "BEGIN" if known => return Ok(descriptors_pass),
                "NEGOTIATE_UNIX_FD" if known => {
                    descriptors_pass = true;
                    "AGREE_UNIX_FD\r\n"
                }
                "AUTH EXTERNAL" => "DATA\r\n",
                "DATA" => {
                    known = true;
                    &ok
                }
                told if told == external => {
                    known = true;
                    &ok
                }
                told if told.starts_with("AUTH") => "REJECTED EXTERNAL\r\n",
                _ => "ERROR\r\n",
            };
            self.output.extend_from_slice(answer.as_bytes());
        }
        Err(malformed())
    }

    async fn line(&mut self) -> io::Result<String> {
        loop {
            if let Some(end) = self.input.windows(2).position(|two| two == b"\r\n") {
                let line = self.input.drain(..end + 2).take(end).collect();
                return String::from_utf8(line).map_err(|_| malformed());
            }
            if self.input.len() > LONGEST_LINE {
                return Err(malformed());
            }
            self.receive().await?;
        }
    }

    async fn message(&mut self) -> io::Result<Message> {
        loop {
            match Message::take(&mut self.input).map_err(|Malformed| malformed())? {
                Some(message) => return Ok(message),
                None => self.receive().await?,
            }
        }
    }

    async fn send(&mut self) -> io::Result<()> {
        let output = std::mem::take(&mut self.output);
        self.stream.write(&output).await
    }

    /// Sends what is to be sent, and waits for more, but not for long: nothing is open while a person
    /// types.
    async fn receive(&mut self) -> io::Result<()> {
        self.send().await?;
        tokio::time::timeout(IDLE, self.stream.read_to(&mut self.input)).await?
    }
}

fn malformed() -> io::Error {
    io::ErrorKind::InvalidData.into()
}

fn hex(text: &str) -> String {
    data_encoding::HEXLOWER.encode(text.as_bytes())
}

const UNKNOWN_METHOD: &str = "org.freedesktop.DBus.Error.UnknownMethod";
const NEGOTIATE: &str =
    "that is served on connections over which descriptors may pass (NEGOTIATE_UNIX_FD)";
/// How long the other end may say nothing.
const IDLE: Duration = Duration::from_secs(2);
/// Lines of a greeting, and bytes of one, at most.
const LINES: u32 = 16;
const LONGEST_LINE: usize = 256;
