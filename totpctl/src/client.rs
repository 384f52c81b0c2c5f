//! A connection to totpd: over its private socket for root, over the system bus for everybody else.

pub(crate) mod details;
mod polkit_agent;
pub(crate) mod transfer;

use std::os::unix::net::UnixStream;
use std::pin::pin;
use std::time::Duration;

use totpd_interface::{
    Error as DaemonError, LoginProxy, ManagerProxy, PRIVATE_SOCKET, SERVICE, SYSTEM_BUS, StoreProxy,
};
use zbus::Connection;
use zbus::connection::Builder;
use zbus::fdo::DBusProxy;

use crate::client::polkit_agent::PolkitAgent;
use crate::error::Error;
use crate::terminal::progress_bar::Bar;

/// The way to totpd, and what drives it.
pub(crate) struct Client {
    runtime: tokio::runtime::Runtime,
    transport: Transport,
    /// How long an answer is waited for.
    timeout: Duration,
    _agent: Option<PolkitAgent>,
}

/// How totpd is reached.
enum Transport {
    /// Over its private socket: root needs no bus. Each question has a connection of its own, since nothing is
    /// kept open while a person types.
    Private,
    /// Over the system bus.
    System(Connection),
}

impl Client {
    /// Finds the way.
    ///
    /// # Errors
    /// [`Error::Unreachable`] where there is none.
    pub(crate) fn connect() -> Result<Self, Error> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .enable_time()
            .build()
            .map_err(|error| Error::refused(format!("no runtime: {error}")))?;
        // Whoever is not root may have to authenticate, which takes as long as a person takes.
        let is_root = nix::unistd::geteuid().is_root();
        let transport = match is_root && socket_exists() {
            true => Transport::Private,
            false => runtime.block_on(over_the_bus(is_root))?,
        };
        let timeout = if is_root { REPLY_TIMEOUT } else { POLKIT_REPLY_TIMEOUT };
        let agent = if is_root { None } else { PolkitAgent::start() };
        Ok(Self { runtime, transport, timeout, _agent: agent })
    }

    /// A connection over which something can be asked.
    async fn connection(&self) -> Result<Connection, DaemonError> {
        match &self.transport {
            Transport::System(connection) => Ok(connection.clone()),
            Transport::Private => {
                let stream = UnixStream::connect(PRIVATE_SOCKET).map_err(zbus::Error::from)?;
                Ok(Builder::unix_stream(stream).p2p().build().await?)
            }
        }
    }

    /// Asks the `Manager` interface.
    pub(crate) fn manager<T>(
        &self,
        question: impl AsyncFnOnce(ManagerProxy<'_>) -> Result<T, DaemonError>,
    ) -> Result<T, Error> {
        Ok(self.runtime.block_on(with_timeout(self.timeout, async {
            question(ManagerProxy::new(&self.connection().await?).await?).await
        }))??)
    }

    /// Runs something of many questions to the `Manager` interface, each to be [`answered`] in this time.
    pub(crate) fn with_manager<T>(
        &self,
        work: impl AsyncFnOnce(ManagerProxy<'static>, Duration) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.runtime.block_on(async {
            let manager = with_timeout(self.timeout, async {
                let manager = ManagerProxy::new(&self.connection().await?).await?;
                // On the bus totpd learns who asks, and is ready for many questions at a time.
                manager.version().await?;
                Ok(manager)
            });
            let manager = manager.await??;
            tokio::task::LocalSet::new().run_until(work(manager, self.timeout)).await
        })
    }

    /// Whether the clock of this machine is synchronized, if anybody knows.
    pub(crate) fn clock_is_synchronized(&self) -> Option<bool> {
        self.runtime.block_on(async {
            let bus = match &self.transport {
                Transport::System(connection) => connection.clone(),
                Transport::Private => {
                    let connecting = Builder::address(SYSTEM_BUS).build();
                    tokio::time::timeout(CLOCK_TIMEOUT, connecting).await.ok()?.ok()?
                }
            };
            let asked = bus.call_method(
                Some("org.freedesktop.timedate1"),
                "/org/freedesktop/timedate1",
                Some("org.freedesktop.DBus.Properties"),
                "Get",
                &("org.freedesktop.timedate1", "NTPSynchronized"),
            );
            let answer = tokio::time::timeout(CLOCK_TIMEOUT, asked).await.ok()?.ok()?;
            answer.body().deserialize::<zbus::Variant<'_>>().ok()?.downcast_ref().ok()
        })
    }

    /// Has a task of the `Store` interface done, which may take minutes, and shows how far it is. A daemon that
    /// does not say how far it is any more does nothing.
    pub(crate) fn store<T>(
        &self,
        what: &str,
        task: impl AsyncFnOnce(StoreProxy<'_>) -> Result<T, DaemonError>,
    ) -> Result<T, Error> {
        self.runtime.block_on(async {
            // Descriptors pass there alone.
            if let Transport::System(_) = &self.transport {
                return Err(no_private_socket());
            }
            let store = with_timeout(self.timeout, async {
                Ok(StoreProxy::new(&self.connection().await?).await?)
            });
            let watched = store.await??;
            let (mut task, mut bar) = (pin!(task(watched.clone())), Bar::new(what));
            loop {
                if let Ok(done) = tokio::time::timeout(PROGRESS_POLL_INTERVAL, &mut task).await {
                    return Ok(done?);
                }
                let (done, total) = with_timeout(self.timeout, watched.progress()).await??;
                if bar.is_due() {
                    bar.show(done, total);
                }
            }
        })
    }

    /// Asks the `Login` interface.
    pub(crate) fn login<T>(
        &self,
        question: impl AsyncFnOnce(LoginProxy<'_>) -> Result<T, DaemonError>,
    ) -> Result<T, Error> {
        Ok(self.runtime.block_on(with_timeout(self.timeout, async {
            question(LoginProxy::new(&self.connection().await?).await?).await
        }))??)
    }
}

/// Whether somebody listens on the private socket.
fn socket_exists() -> bool {
    UnixStream::connect(PRIVATE_SOCKET).is_ok()
}

/// The way over the bus; for root, the private socket, where totpd makes it when the bus starts it.
async fn over_the_bus(is_root: bool) -> Result<Transport, Error> {
    let connecting = Builder::address(SYSTEM_BUS).build();
    let connected = tokio::time::timeout(REPLY_TIMEOUT, connecting).await;
    let why = match connected {
        Ok(Ok(connection)) => {
            if is_root {
                // Where it does not start, the question itself will say why.
                let started = DBusProxy::new(&connection).await;
                if let Ok(bus) = started
                    && let Ok(name) = SERVICE.try_into()
                {
                    let starting = bus.start_service_by_name(name, 0);
                    let _ = tokio::time::timeout(REPLY_TIMEOUT, starting).await;
                }
                if socket_exists() {
                    return Ok(Transport::Private);
                }
            }
            return Ok(Transport::System(connection));
        }
        Ok(Err(error)) => error.to_string(),
        Err(_) => "it does not answer".into(),
    };
    Err(Error::Unreachable(format!("the system bus cannot be reached: {why}")))
}

fn no_private_socket() -> Error {
    if nix::unistd::geteuid().is_root() {
        return Error::Unreachable(format!(
            "nobody listens on {PRIVATE_SOCKET}, over which that goes; see the journal of totpd (journalctl -t totpd)"
        ));
    }
    Error::NotAuthorized("not authorized: only root may do that".into())
}

/// The answer to what totpd is asked, or an error, if one of them comes in this time. (`method_timeout` of zbus 6.2 is not heeded by
/// methods that allow a person to authenticate.)
pub(crate) async fn with_timeout<T>(
    timeout: Duration,
    asked: impl Future<Output = Result<T, DaemonError>>,
) -> Result<Result<T, DaemonError>, Error> {
    tokio::time::timeout(timeout, asked).await.map_err(|_| {
        Error::Unreachable(format!(
            "totpd does not answer: there was nothing from it for {} seconds, and what it was asked may be done \
             yet; see its journal (journalctl -t totpd)",
            timeout.as_secs()
        ))
    })
}

/// Longer than the bus waits for a daemon that it has to start.
const REPLY_TIMEOUT: Duration = Duration::from_secs(30);
/// Longer than totpd waits for polkit.
const POLKIT_REPLY_TIMEOUT: Duration = Duration::from_secs(330);
const CLOCK_TIMEOUT: Duration = Duration::from_secs(2);
/// How often a long task is asked how far it is.
const PROGRESS_POLL_INTERVAL: Duration = Duration::from_millis(200);
