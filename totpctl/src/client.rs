//! The connection to totpd: over its private socket for root, over the system bus for other users.

pub(crate) mod details;
mod password_status;
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
use crate::installed;
use crate::terminal::input::user_or_caller;
use crate::terminal::output;
use crate::terminal::progress_bar::ProgressBar;

/// A connection to totpd.
pub(crate) struct Client {
    runtime: tokio::runtime::Runtime,
    transport: Transport,
    /// How long to wait for a reply.
    timeout: Duration,
    /// The user who would be asked for a password of its own, and has none.
    passwordless: Option<String>,
    _agent: Option<PolkitAgent>,
}

/// How totpd is reached.
enum Transport {
    /// Over its private socket, which needs no bus. Each call opens a connection, so that none is
    /// open while a person types.
    Private,
    /// Over the system bus.
    System(Connection),
}

impl Client {
    /// Connects.
    ///
    /// # Errors
    /// [`Error::Unreachable`] if neither socket nor bus answers.
    pub(crate) fn connect() -> Result<Self, Error> {
        Self::open(None)
    }

    /// Connects to change the factors of `user`. polkit asks users for their own password before
    /// they change their own factors. A user without a password is not asked.
    ///
    /// # Errors
    /// [`Error::Unreachable`] if neither socket nor bus answers.
    pub(crate) fn connect_for(user: &str) -> Result<Self, Error> {
        let is_own = !nix::unistd::geteuid().is_root() && user_or_caller(None)? == user;
        Self::open((is_own && password_status::is_locked()).then(|| user.to_owned()))
    }

    fn open(passwordless: Option<String>) -> Result<Self, Error> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .enable_time()
            .build()
            .map_err(|error| Error::refused(format!("cannot start the runtime: {error}")))?;
        // Other users may have to authenticate, which takes a person minutes.
        let is_root = nix::unistd::geteuid().is_root();
        let transport = match is_root && socket_answers() {
            true => Transport::Private,
            false => runtime.block_on(over_the_bus(is_root))?,
        };
        let timeout = if is_root { REPLY_TIMEOUT } else { POLKIT_REPLY_TIMEOUT };
        let asks = !is_root && passwordless.is_none();
        let agent = if asks { PolkitAgent::start() } else { None };
        Ok(Self { runtime, transport, timeout, passwordless, _agent: agent })
    }

    /// Returns a connection for one call.
    async fn connection(&self) -> Result<Connection, DaemonError> {
        match &self.transport {
            Transport::System(connection) => Ok(connection.clone()),
            Transport::Private => {
                let stream = UnixStream::connect(PRIVATE_SOCKET).map_err(zbus::Error::from)?;
                Ok(Builder::unix_stream(stream).p2p().build().await?)
            }
        }
    }

    /// Calls the `Manager` interface.
    pub(crate) fn manager<T>(
        &self,
        call: impl AsyncFnOnce(ManagerProxy<'_>) -> Result<T, DaemonError>,
    ) -> Result<T, Error> {
        let reply = self.runtime.block_on(with_timeout(self.timeout, async {
            call(ManagerProxy::new(&self.connection().await?).await?).await
        }))?;
        match (reply, &self.passwordless) {
            // The message says that nobody could be asked, and not why.
            (Err(DaemonError::NotAuthorized(reason)), Some(user))
                if reason.starts_with("authentication is needed") =>
            {
                Err(no_password(user))
            }
            (reply, _) => Ok(reply?),
        }
    }

    /// Runs work that makes many calls of the `Manager` interface. Each call has to use
    /// [`with_timeout`].
    pub(crate) fn with_manager<T>(
        &self,
        work: impl AsyncFnOnce(ManagerProxy<'static>, Duration) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.runtime.block_on(async {
            let manager = with_timeout(self.timeout, async {
                let manager = ManagerProxy::new(&self.connection().await?).await?;
                // After the first call, totpd knows the caller and accepts many calls at a time.
                manager.version().await?;
                Ok(manager)
            });
            let manager = manager.await??;
            tokio::task::LocalSet::new().run_until(work(manager, self.timeout)).await
        })
    }

    /// Reports whether the clock of this machine is synchronized, if systemd-timedated answers.
    pub(crate) fn clock_is_synchronized(&self) -> Option<bool> {
        self.runtime.block_on(async {
            let bus = match &self.transport {
                Transport::System(connection) => connection.clone(),
                Transport::Private => {
                    let connecting = Builder::address(SYSTEM_BUS).build();
                    tokio::time::timeout(CLOCK_TIMEOUT, connecting).await.ok()?.ok()?
                }
            };
            let call = bus.call_method(
                Some("org.freedesktop.timedate1"),
                "/org/freedesktop/timedate1",
                Some("org.freedesktop.DBus.Properties"),
                "Get",
                &("org.freedesktop.timedate1", "NTPSynchronized"),
            );
            let reply = tokio::time::timeout(CLOCK_TIMEOUT, call).await.ok()?.ok()?;
            reply.body().deserialize::<zbus::Variant<'_>>().ok()?.downcast_ref().ok()
        })
    }

    /// Runs a task of the `Store` interface, which may take minutes, and shows its progress. A
    /// daemon that no longer reports progress has failed.
    pub(crate) fn store<T>(
        &self,
        what: &str,
        task: impl AsyncFnOnce(StoreProxy<'_>) -> Result<T, DaemonError>,
    ) -> Result<T, Error> {
        self.runtime.block_on(async {
            // Only the private socket passes file descriptors.
            if let Transport::System(_) = &self.transport {
                return Err(no_private_socket());
            }
            let store = with_timeout(self.timeout, async {
                Ok(StoreProxy::new(&self.connection().await?).await?)
            });
            let totpd = store.await??;
            let (mut task, mut bar) = (pin!(task(totpd.clone())), ProgressBar::new(what));
            loop {
                if let Ok(result) = tokio::time::timeout(PROGRESS_POLL_INTERVAL, &mut task).await {
                    return Ok(result?);
                }
                let (done, total) = with_timeout(self.timeout, totpd.progress()).await??;
                if bar.is_due() {
                    bar.show(done, total);
                }
            }
        })
    }

    /// Calls the `Login` interface.
    pub(crate) fn login<T>(
        &self,
        call: impl AsyncFnOnce(LoginProxy<'_>) -> Result<T, DaemonError>,
    ) -> Result<T, Error> {
        Ok(self.runtime.block_on(with_timeout(self.timeout, async {
            call(LoginProxy::new(&self.connection().await?).await?).await
        }))??)
    }
}

/// Reports whether the private socket accepts connections.
fn socket_answers() -> bool {
    UnixStream::connect(PRIVATE_SOCKET).is_ok()
}

/// Connects over the bus. For root, has the bus start totpd, which then opens the private socket.
async fn over_the_bus(is_root: bool) -> Result<Transport, Error> {
    let connecting = Builder::address(SYSTEM_BUS).build();
    let connected = tokio::time::timeout(REPLY_TIMEOUT, connecting).await;
    let reason = match connected {
        Ok(Ok(connection)) => {
            if is_root {
                // If totpd does not start, the call itself reports why.
                let started = DBusProxy::new(&connection).await;
                if let Ok(bus) = started
                    && let Ok(name) = SERVICE.try_into()
                {
                    let starting = bus.start_service_by_name(name, 0);
                    let _ = tokio::time::timeout(REPLY_TIMEOUT, starting).await;
                }
                if socket_answers() {
                    return Ok(Transport::Private);
                }
            }
            return Ok(Transport::System(connection));
        }
        Ok(Err(error)) => error.to_string(),
        Err(_) => "it does not answer".into(),
    };
    let advice = match is_root {
        true => format!(
            "; root needs no bus if totpd runs: start it (systemctl start totpd.socket, or {} by hand)",
            installed::daemon().display()
        ),
        false => String::new(),
    };
    Err(Error::Unreachable(format!("cannot reach the system bus: {reason}{advice}")))
}

fn no_password(user: &str) -> Error {
    Error::NotAuthorized(format!(
        "not authorized: {user} has no password, and polkit asks for it before a user changes its \
         own factors; have root do it (sudo totpctl enroll {user}), or make the first factor at a \
         login (option enroll of pam_totp)"
    ))
}

fn no_private_socket() -> Error {
    if nix::unistd::geteuid().is_root() {
        return Error::Unreachable(format!(
            "totpd does not listen on {PRIVATE_SOCKET}, which this command needs; see its journal (journalctl -t totpd)"
        ));
    }
    Error::NotAuthorized("not authorized: only root may do that".into())
}

/// Returns the reply of totpd, or an error after `timeout`. (zbus 6.2 ignores its `method_timeout`
/// for methods that allow interactive authentication.)
pub(crate) async fn with_timeout<T>(
    timeout: Duration,
    call: impl Future<Output = Result<T, DaemonError>>,
) -> Result<Result<T, DaemonError>, Error> {
    tokio::time::timeout(timeout, call).await.map_err(|_| {
        Error::Unreachable(format!(
            "totpd does not answer: no reply within {}; it may still do what was asked; see its journal \
             (journalctl -t totpd)",
            output::duration(timeout.as_secs())
        ))
    })
}

/// Longer than the bus waits for a daemon to start.
const REPLY_TIMEOUT: Duration = Duration::from_secs(30);
/// Longer than totpd waits for polkit.
const POLKIT_REPLY_TIMEOUT: Duration = Duration::from_secs(330);
const CLOCK_TIMEOUT: Duration = Duration::from_secs(2);
/// How often the progress of a task is shown.
const PROGRESS_POLL_INTERVAL: Duration = Duration::from_millis(200);
