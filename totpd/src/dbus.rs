//! The system bus. Every user may send there, so everything goes through a gate.
//!
//! `reader` takes calls out of the incoming bytes, and `gate` decides which of them are worked on.
//! `desk` carries out the decisions of the gate, and [`crate::dispatch`] finds the method that
//! answers.

use std::time::Duration;

use tokio::net::UnixStream;
use totpd_interface::{SERVICE, SYSTEM_BUS_SOCKET};
use zbus::Connection;
use zbus::connection::Builder;
use zbus::connection::socket::{BoxedSplit, ReadHalf, Split, WriteHalf};

use self::desk::Desk;
use self::reader::{Reader, Writer};
use crate::dispatch::Services;

mod desk;
mod gate;
mod reader;
mod reserve;

/// Connects to the bus, serves there, and takes the name.
///
/// # Errors
/// The error if there is no bus, or it is stalled. [`zbus::Error::NameTaken`].
pub(crate) async fn connect(services: Services) -> zbus::Result<Connection> {
    // A stalled bus accepts the connection and sends nothing.
    let timeout_error = |_| zbus::Error::Failure("it does not answer".into());
    tokio::time::timeout(CONNECT_TIMEOUT, serve(services)).await.map_err(timeout_error)?
}

async fn serve(services: Services) -> zbus::Result<Connection> {
    let socket = UnixStream::connect(SYSTEM_BUS_SOCKET).await?;
    let (read, write) = socket.into_split();
    let (desk, refusals) = Desk::new(services);
    let read: Box<dyn ReadHalf> = Box::new(Reader::new(read, desk.clone()));
    let write: Box<dyn WriteHalf> = Box::new(Writer(write));
    let connection = Builder::socket(BoxedSplit::from(Split::new(read, write))).build().await?;
    desk.open(&connection, refusals);
    // Calls arrive only after the daemon has the name.
    connection.request_name(SERVICE).await?;
    Ok(connection)
}

/// The time that the bus may take to accept the daemon.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(20);
