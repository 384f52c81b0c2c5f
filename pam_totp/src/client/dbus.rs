//! A request over the system bus. Programs that do not run as root use it. Root's programs use it
//! if there is no private socket.

use std::num::NonZeroU32;
use std::time::{Duration, Instant};

use rustix::process::geteuid;
use totpd_interface::wire::call::{BUS_NAME, Call, Way};
use totpd_interface::wire::message::Reply as Answer;
use totpd_interface::wire::{Malformed, greeting};
use totpd_interface::{ERROR_PREFIX, SYSTEM_BUS_SOCKET};

use super::connect::{connect, from_errno};
use super::request::{Reading, RequestError, SERIAL, malformed, map_error, read, unsendable};
use super::stream::Stream;
use crate::jitter::add_jitter;
use crate::outcome::Outcome;

/// Sends the request, waits for the reply until the deadline, and hands it to `reading`.
pub(super) fn ask(
    call: &Call<'_>,
    reading: &mut Reading<'_>,
    deadline: Instant,
) -> Result<(), RequestError> {
    connect_to_bus(deadline)?.ask(call, reading)
}

/// Lets the bus start the daemon, then sends the request. It does not send the request before.
/// Under many logins the waiting connections would use up the limit of the bus for root. The daemon
/// could then not connect. So no connection waits for long.
pub(super) fn start_and_ask(
    call: &Call<'_>,
    reading: &mut Reading<'_>,
    deadline: Instant,
) -> Result<(), RequestError> {
    let mut bus = connect_to_bus(deadline)?;
    bus.stream.deadline = deadline.min(Instant::now() + add_jitter(START_TIMEOUT));
    let start = bus.ask_bus(&Call::StartService, START_SERIAL);
    bus.stream.deadline = deadline;
    match start {
        Err(RequestError::Timeout) => return Err(RequestError::NotDelivered),
        result => result?,
    }
    if matches!(call, Call::CompleteEnrollment { .. }) {
        // The daemon runs now, and so its socket can be used.
        return Err(RequestError::NotDelivered);
    }
    bus.ask(call, reading)
}

fn connect_to_bus(deadline: Instant) -> Result<Bus, RequestError> {
    let socket = connect(SYSTEM_BUS_SOCKET, deadline)?.map_err(from_errno)?;
    Bus::enter(Stream::new(socket, deadline))
}

/// A connection to the bus, which has let this process in.
pub(super) struct Bus {
    stream: Stream,
}

impl Bus {
    /// Makes this process known to the bus at the other end.
    pub(super) fn enter(stream: Stream) -> Result<Self, RequestError> {
        let mut bus = Self { stream };
        let hello = Call::Hello.write(HELLO_SERIAL, Way::Bus).map_err(malformed)?;
        bus.stream.send(&[greeting(geteuid().as_raw()).as_bytes(), &hello].concat())?;
        bus.stream.wait_for_ok().map_err(before_the_request)?;
        bus.reply_of_bus(HELLO_SERIAL)?;
        Ok(bus)
    }

    /// Sends a call of a login, waits for the reply, and hands it to `reading`.
    pub(super) fn ask(
        &mut self,
        call: &Call<'_>,
        reading: &mut Reading<'_>,
    ) -> Result<(), RequestError> {
        if matches!(call, Call::CompleteEnrollment { .. }) {
            let reason = "CompleteEnrollment is served on the private socket only";
            return Err(RequestError::Fatal(Outcome::Internal(reason.into())));
        }
        let message = call.write(SERIAL, Way::Bus).map_err(|_| unsendable())?;
        self.stream.send(&message)?;
        let mut result = Ok(());
        let received = self.stream.receive_reply(SERIAL, &mut |message, answer| {
            // The bus vouches for the sender, and lets nobody but the receiver of a call answer it.
            // A reply from the bus itself can only be an error.
            let sender = message.sender();
            let is_from_peer = sender.is_some_and(|name| name.starts_with(':'));
            let is_error_of_bus =
                matches!(answer, Answer::Error { .. }) && sender == Some(BUS_NAME);
            result = match is_from_peer || is_error_of_bus {
                true => read(answer, reading, |name, text| classify_error(name, text, true)),
                false => Err(malformed(Malformed)),
            };
        });
        received.map_err(|error| match error {
            // The bus ended, and nobody knows whether it had passed the request on.
            RequestError::NotDelivered => RequestError::ReplyLost,
            error => error,
        })?;
        result
    }

    /// Calls a method of the bus itself, and waits until it returns.
    fn ask_bus(&mut self, call: &Call<'_>, serial: NonZeroU32) -> Result<(), RequestError> {
        self.stream.send(&call.write(serial, Way::Bus).map_err(malformed)?)?;
        self.reply_of_bus(serial)
    }

    fn reply_of_bus(&mut self, serial: NonZeroU32) -> Result<(), RequestError> {
        let mut result = Ok(());
        let received = self.stream.receive_reply(serial, &mut |message, answer| {
            result = match answer {
                _ if message.sender() != Some(BUS_NAME) => Err(malformed(Malformed)),
                Answer::Return(_) => Ok(()),
                Answer::Error { name, text } => Err(classify_error(name, text, false)),
            };
        });
        received.map_err(before_the_request)?;
        result
    }
}

/// Maps a lost connection: the daemon has no request yet.
fn before_the_request(error: RequestError) -> RequestError {
    match error {
        RequestError::ReplyLost => RequestError::NotDelivered,
        error => error,
    }
}

/// Maps an error to what it means for a retry. `sent`: whether the request was sent.
fn classify_error(name: &str, text: &str, sent: bool) -> RequestError {
    match (name.strip_prefix(ERROR_PREFIX), name.strip_prefix(BUS_ERROR_PREFIX)) {
        // The daemon did not read it: others send too many requests at this moment.
        (Some("LimitsExceeded"), _) => RequestError::NotDelivered,
        // dbus-daemon allows 256 connections of one user, and all logins are those of root.
        (_, Some("LimitsExceeded")) => RequestError::NotDelivered,
        // The daemon was killed while it started.
        (_, Some("Spawn.ChildSignaled")) => RequestError::NotDelivered,
        // The daemon ended while it had the request.
        (_, Some("NoReply")) if sent => RequestError::ReplyLost,
        (_, Some("NoReply")) => RequestError::NotDelivered,
        _ => RequestError::Fatal(map_error(name, text)),
    }
}

/// The longest wait of one connection for the start of the daemon.
const START_TIMEOUT: Duration = Duration::from_secs(1);
const BUS_ERROR_PREFIX: &str = "org.freedesktop.DBus.Error.";
const HELLO_SERIAL: NonZeroU32 = SERIAL.saturating_add(1);
const START_SERIAL: NonZeroU32 = SERIAL.saturating_add(2);
