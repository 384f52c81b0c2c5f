//! A request over the system bus. Programs that do not run as root use it. Root's programs use it
//! if there is no private socket.

use std::io;
use std::time::{Duration, Instant};

use totpd_interface::{Error, LoginProxy, SERVICE, SYSTEM_BUS_SOCKET};
use zbus::Connection;
use zbus::connection::Builder;

use super::connect::{connect, from_errno};
use super::request::{Reply, Request, RequestError};
use crate::jitter::add_jitter;

/// Sends the request and waits for the reply until the deadline.
pub(super) fn ask(request: &Request<'_>, deadline: Instant) -> Result<Reply, RequestError> {
    with_bus(deadline, async |bus| send(request, &bus).await)
}

/// Lets the bus start the daemon, then sends the request. It does not send the request before.
/// Under many logins the waiting connections would use up the limit of the bus for root. The daemon
/// could then not connect. So no connection waits for long.
pub(super) fn start_and_ask(
    request: &Request<'_>,
    deadline: Instant,
) -> Result<Reply, RequestError> {
    with_bus(deadline, async |bus| {
        let (path, method) = ("/org/freedesktop/DBus", "StartServiceByName");
        let start =
            bus.call_method(Some(BUS_NAME), path, Some(BUS_NAME), method, &(SERVICE, 0_u32));
        let result = tokio::time::timeout(add_jitter(START_TIMEOUT), start).await;
        result
            .map_err(|_| RequestError::NotDelivered)?
            .map_err(|error| classify_error(error, false))?;
        if matches!(request, Request::CompleteEnrollment(..)) {
            // The daemon runs now, and so its socket can be used.
            return Err(RequestError::NotDelivered);
        }
        send(request, &bus).await
    })
}

async fn send(request: &Request<'_>, bus: &Connection) -> Result<Reply, RequestError> {
    let totpd = LoginProxy::new(bus).await.map_err(|error| classify_error(error, false))?;
    let reply = match request {
        Request::Begin(user, context) => totpd.begin(user, context).await,
        Request::Verify(user, code, context) => totpd.verify(user, code, context).await,
        Request::CompleteEnrollment(..) => {
            let reason = "CompleteEnrollment is served on the private socket only".to_owned();
            Err(Error::NotAuthorized(reason))
        }
    };
    reply.map_err(|error| match error {
        Error::Bus(error) => classify_error(error, true),
        // The daemon did not read it: others send too many requests at this moment.
        Error::LimitsExceeded(_) => RequestError::NotDelivered,
        other => RequestError::Fatal(other),
    })
}

fn with_bus<T>(
    deadline: Instant,
    work: impl AsyncFnOnce(Connection) -> Result<T, RequestError>,
) -> Result<T, RequestError> {
    let socket = connect(SYSTEM_BUS_SOCKET, deadline)?.map_err(from_errno)?;
    // One runtime for each request: no thread and no descriptor of it stays in the host.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .enable_time()
        .build()
        .map_err(|error| RequestError::Fatal(Error::Bus(error.into())))?;
    let exchange = async {
        let bus = Builder::unix_stream(socket.into()).build().await;
        work(bus.map_err(|error| classify_error(error, false))?).await
    };
    runtime.block_on(async {
        tokio::time::timeout_at(deadline.into(), exchange)
            .await
            .unwrap_or(Err(RequestError::Timeout))
    })
}

/// Maps an error to what it means for a retry. `sent`: whether the request was sent.
fn classify_error(error: zbus::Error, sent: bool) -> RequestError {
    let error_of_loss = if sent { RequestError::ReplyLost } else { RequestError::NotDelivered };
    match error_name(&error).as_deref() {
        // dbus-daemon allows 256 connections of one user, and all logins are those of root.
        Some("org.freedesktop.DBus.Error.LimitsExceeded") => return RequestError::NotDelivered,
        // The daemon was killed while it started.
        Some("org.freedesktop.DBus.Error.Spawn.ChildSignaled") => {
            return RequestError::NotDelivered;
        }
        // The daemon ended while it had the request.
        Some("org.freedesktop.DBus.Error.NoReply") => return error_of_loss,
        _ => {}
    }
    match &error {
        zbus::Error::InputOutput(io) => match io.kind() {
            io::ErrorKind::WouldBlock => RequestError::NotDelivered,
            io::ErrorKind::BrokenPipe
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::UnexpectedEof => error_of_loss,
            _ => RequestError::Fatal(Error::Bus(error)),
        },
        _ => RequestError::Fatal(Error::Bus(error)),
    }
}

/// The longest wait of one connection for the start of the daemon.
const START_TIMEOUT: Duration = Duration::from_secs(1);
const BUS_NAME: &str = "org.freedesktop.DBus";

/// Returns the name of an error that another program sent.
fn error_name(error: &zbus::Error) -> Option<String> {
    match error {
        zbus::Error::FDO(error) => Some(zbus::DBusError::name(error.as_ref()).to_string()),
        zbus::Error::MethodError(name, ..) => Some(name.to_string()),
        _ => None,
    }
}
