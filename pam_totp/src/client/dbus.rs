//! A question over the system bus: for programs that are not root's, and where there is no private
//! socket.

use std::io;
use std::time::{Duration, Instant};

use totpd_interface::{Error, LoginProxy, SERVICE, SYSTEM_BUS_SOCKET};
use zbus::Connection;
use zbus::connection::Builder;

use super::connect::{connected, errno};
use super::{Answer, Question, Trouble, jittered};

/// Asks, and waits for the answer until the deadline.
pub(super) fn ask(question: &Question<'_>, deadline: Instant) -> Result<Answer, Trouble> {
    on_the_bus(deadline, async |bus| put(question, &bus).await)
}

/// Asks when the bus has started the daemon. The question is not sent before: in a storm the
/// connections that wait for the daemon would be all that the bus grants root, and none would be
/// left for the daemon. So none of them waits for long.
pub(super) fn start_and_ask(question: &Question<'_>, deadline: Instant) -> Result<Answer, Trouble> {
    on_the_bus(deadline, async |bus| {
        let (path, method) = ("/org/freedesktop/DBus", "StartServiceByName");
        let start = bus.call_method(Some(BUS), path, Some(BUS), method, &(SERVICE, 0_u32));
        let started = tokio::time::timeout(jittered(START), start).await;
        started.map_err(|_| Trouble::NotHeard)?.map_err(|error| trouble(error, false))?;
        if matches!(question, Question::CompleteEnrollment(..)) {
            // The daemon is there now, and so is its socket.
            return Err(Trouble::NotHeard);
        }
        put(question, &bus).await
    })
}

async fn put(question: &Question<'_>, bus: &Connection) -> Result<Answer, Trouble> {
    let totpd = LoginProxy::new(bus).await.map_err(|error| trouble(error, false))?;
    let answer = match question {
        Question::Begin(user, context) => totpd.begin(user, context).await,
        Question::Verify(user, code, context) => totpd.verify(user, code, context).await,
        Question::CompleteEnrollment(..) => {
            let why = "a login ends over the private socket alone".to_owned();
            Err(Error::NotAuthorized(why))
        }
    };
    answer.map_err(|error| match error {
        Error::Bus(error) => trouble(error, true),
        // Nothing of it was looked at: others ask too much at this moment.
        Error::LimitsExceeded(_) => Trouble::NotHeard,
        other => Trouble::Lasting(other),
    })
}

fn on_the_bus<T>(
    deadline: Instant,
    work: impl AsyncFnOnce(Connection) -> Result<T, Trouble>,
) -> Result<T, Trouble> {
    let socket = connected(SYSTEM_BUS_SOCKET, deadline)?.map_err(errno)?;
    // A runtime for each time: no thread and no descriptor of it outlives this in the host.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .enable_time()
        .build()
        .map_err(|error| Trouble::Lasting(Error::Bus(error.into())))?;
    let exchange = async {
        let bus = Builder::unix_stream(socket.into()).build().await;
        work(bus.map_err(|error| trouble(error, false))?).await
    };
    runtime.block_on(async {
        tokio::time::timeout_at(deadline.into(), exchange).await.unwrap_or(Err(Trouble::TooLate))
    })
}

/// What an error means for the next try. `sent`: whether the question was sent.
fn trouble(error: zbus::Error, sent: bool) -> Trouble {
    let lost = if sent { Trouble::AnswerLost } else { Trouble::NotHeard };
    match name(&error).as_deref() {
        // dbus-daemon serves 256 connections of a user, and all logins are root's.
        Some("org.freedesktop.DBus.Error.LimitsExceeded") => return Trouble::NotHeard,
        // The daemon was killed while it started.
        Some("org.freedesktop.DBus.Error.Spawn.ChildSignaled") => return Trouble::NotHeard,
        // The daemon ended while it had the question.
        Some("org.freedesktop.DBus.Error.NoReply") => return lost,
        _ => {}
    }
    match &error {
        zbus::Error::InputOutput(io) => match io.kind() {
            io::ErrorKind::WouldBlock => Trouble::NotHeard,
            io::ErrorKind::BrokenPipe
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::UnexpectedEof => lost,
            _ => Trouble::Lasting(Error::Bus(error)),
        },
        _ => Trouble::Lasting(Error::Bus(error)),
    }
}

/// How long the start of the daemon is waited for at a time.
const START: Duration = Duration::from_secs(1);
/// The bus itself, as a peer on it.
const BUS: &str = "org.freedesktop.DBus";

/// The name of an error that another program sent.
fn name(error: &zbus::Error) -> Option<String> {
    match error {
        zbus::Error::FDO(error) => Some(zbus::DBusError::name(error.as_ref()).to_string()),
        zbus::Error::MethodError(name, ..) => Some(name.to_string()),
        _ => None,
    }
}
