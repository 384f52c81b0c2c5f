//! One connection of the private socket: the greeting, then calls and their answers. See
//! [`totpd_interface::peer`].

use std::io;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::Duration;

use totpd_interface::peer::{self, Malformed, Received};
use totpd_interface::{Dictionary, Error, LOGIN, PATH};
use zbus::DBusError;
use zbus::message::{Flags, Header, Message, Type};
use zeroize::Zeroizing;

use crate::caller::Caller;
use crate::login::Login;
use crate::private::stream::Stream;

/// A connection, and what of its words was not looked at yet.
pub(super) struct Conversation {
    stream: Stream,
    caller: Caller,
    guid: Arc<str>,
    input: Vec<u8>,
    /// What is to be sent before more input is waited for.
    output: Vec<u8>,
}

impl Conversation {
    /// A connection of `caller`, whom the kernel vouches for, to the socket of that GUID.
    ///
    /// # Errors
    /// Of the system.
    pub(super) fn new(stream: UnixStream, caller: Caller, guid: Arc<str>) -> io::Result<Self> {
        let stream = Stream::new(stream)?;
        Ok(Self { stream, caller, guid, input: Vec::new(), output: Vec::new() })
    }

    /// Answers until the other end closes, or says what cannot be understood.
    pub(super) async fn serve(mut self, login: Login) -> io::Result<()> {
        self.greet().await?;
        loop {
            let message = self.message().await?;
            if let Some(answer) = self.answer(&login, &message).await? {
                self.output.extend_from_slice(answer.data().bytes());
            }
        }
    }

    /// The handshake (D-Bus specification, "Authentication Protocol"), of which EXTERNAL is the only
    /// mechanism: who the other end is was known before it said a word.
    async fn greet(&mut self) -> io::Result<()> {
        let ok = format!("OK {}\r\n", self.guid);
        let external = format!("AUTH EXTERNAL {}", hex(&self.caller.uid.to_string()));
        let mut known = false;
        for line in 0..LINES {
            let told = self.line().await?;
            // The first byte of a connection is nought.
            let told = if line == 0 { told.strip_prefix('\0').unwrap_or("") } else { &told };
            let answer = match told {
                "BEGIN" if known => return Ok(()),
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

    async fn message(&mut self) -> io::Result<Received> {
        loop {
            if let Some(start) = self.input.first_chunk() {
                let length = peer::length(start).map_err(|Malformed| malformed())?;
                if self.input.len() >= length {
                    let rest = self.input.split_off(length);
                    let message = std::mem::replace(&mut self.input, rest);
                    return Received::new(message).map_err(|Malformed| malformed());
                }
            }
            self.receive().await?;
        }
    }

    /// What a message is answered with: nothing if it is no call.
    async fn answer(&self, login: &Login, message: &Received) -> io::Result<Option<Message>> {
        let header = message.header().map_err(|Malformed| malformed())?;
        if header.message_type() != Type::MethodCall {
            return Ok(None);
        }
        let member = header.member().map(|name| name.as_str());
        let interface = header.interface().map_or(LOGIN, |name| name.as_str());
        let here = header.path().is_some_and(|path| path.as_str() == PATH);
        let answered = match (interface, member) {
            (LOGIN, Some("Begin")) if here => match message.body::<(String, Dictionary)>() {
                Ok((user, context)) => {
                    let answer = login.begin_for(self.caller, &user, &context).await;
                    reply(&header, answer)
                }
                Err(Malformed) => error(&header, INVALID_ARGS, "Begin takes sa{sv}"),
            },
            (LOGIN, Some("Verify")) if here => {
                match message.body::<(String, String, Dictionary)>() {
                    Ok((user, code, context)) => {
                        let answer = login.verify_for(self.caller, &user, &code, &context).await;
                        reply(&header, answer)
                    }
                    Err(Malformed) => error(&header, INVALID_ARGS, "Verify takes ssa{sv}"),
                }
            }
            (LOGIN, Some("CompleteEnrollment")) if here => {
                match message.body::<(String, Dictionary)>() {
                    Ok((token, context)) => {
                        let token = Zeroizing::new(token);
                        let answer =
                            login.complete_enrollment_for(self.caller, &token, &context).await;
                        reply(&header, answer)
                    }
                    Err(Malformed) => {
                        error(&header, INVALID_ARGS, "CompleteEnrollment takes sa{sv}")
                    }
                }
            }
            ("org.freedesktop.DBus.Peer", Some("Ping")) => {
                Message::method_return(&header).build(&())
            }
            _ => error(&header, UNKNOWN_METHOD, "there is only org.totpd.Totp1.Login here"),
        };
        let silent = header.primary().flags().contains(Flags::NO_REPLY_EXPECTED);
        answered.map(|answer| Some(answer).filter(|_| !silent)).map_err(|_| malformed())
    }

    /// Sends what is to be sent, and waits for more, but not for long: nothing is open while a person
    /// types.
    async fn receive(&mut self) -> io::Result<()> {
        let output = std::mem::take(&mut self.output);
        self.stream.write(&output).await?;
        tokio::time::timeout(IDLE, self.stream.read_to(&mut self.input)).await?
    }
}

fn reply(
    header: &Header<'_>,
    answer: Result<(String, Dictionary), Error>,
) -> zbus::Result<Message> {
    match answer {
        Ok(answer) => Message::method_return(header).build(&answer),
        Err(error) => error.create_reply(header),
    }
}

fn error(header: &Header<'_>, name: &str, text: &str) -> zbus::Result<Message> {
    Message::error(header, name).build(&text)
}

fn malformed() -> io::Error {
    io::ErrorKind::InvalidData.into()
}

fn hex(text: &str) -> String {
    data_encoding::HEXLOWER.encode(text.as_bytes())
}

const INVALID_ARGS: &str = "org.freedesktop.DBus.Error.InvalidArgs";
const UNKNOWN_METHOD: &str = "org.freedesktop.DBus.Error.UnknownMethod";
/// How long the other end may say nothing.
const IDLE: Duration = Duration::from_secs(2);
/// Lines of a greeting, and bytes of one, at most.
const LINES: u32 = 16;
const LONGEST_LINE: usize = 256;
