//! The connection to totpd: over its private socket for root, over the system bus for other users.

pub(crate) mod account_uid;
pub(crate) mod authentication;
pub(crate) mod configuration;
pub(crate) mod details;
mod polkit_agent;
pub(crate) mod transfer;
pub(crate) mod users;

use std::os::unix::net::UnixStream;
use std::pin::pin;
use std::time::Duration;

use totpd_interface::{
    AUTHENTICATION_NEEDED, Authentication, Error as DaemonError, LoginProxy, ManagerProxy,
    PRIVATE_SOCKET, SERVICE, SYSTEM_BUS, StoreProxy,
};
use zbus::Connection;
use zbus::connection::Builder;
use zbus::fdo::DBusProxy;

use crate::client::configuration::configuration_error;
use crate::client::polkit_agent::PolkitAgent;
use crate::daemon_log;
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
    /// The caller has no password that polkit could ask for.
    has_no_password: bool,
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
        let may_ask = !is_root && authentication::allowed() == Authentication::Allowed;
        let agent = if may_ask { PolkitAgent::start() } else { None };
        let client = Self { runtime, transport, timeout, has_no_password: false, _agent: agent };
        if is_root {
            client.check_started()?;
        }
        Ok(client)
    }

    /// Connects if that takes no second and asks nobody, for a shell that completes a word.
    pub(crate) fn connect_briefly() -> Option<Self> {
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build().ok()?;
        let transport = match nix::unistd::geteuid().is_root() {
            true => socket_answers().then_some(Transport::Private)?,
            false => {
                let connecting = Builder::address(SYSTEM_BUS).build();
                let connected =
                    async { tokio::time::timeout(COMPLETION_TIMEOUT, connecting).await };
                Transport::System(runtime.block_on(connected).ok()?.ok()?)
            }
        };
        let timeout = COMPLETION_TIMEOUT;
        Some(Self { runtime, transport, timeout, has_no_password: false, _agent: None })
    }

    /// Connects for a change of the factors of `user`. If it is the caller, and has no password,
    /// polkit is kept from asking for it.
    ///
    /// # Errors
    /// As [`Self::connect`].
    pub(crate) fn for_own_account(user: &str) -> Result<Self, Error> {
        let is_own = !nix::unistd::geteuid().is_root()
            && user_or_caller(None).is_ok_and(|caller| caller == user);
        let has_no_password = is_own && authentication::caller_has_no_password();
        if has_no_password {
            authentication::never_ask();
        }
        Ok(Self { has_no_password, ..Self::connect()? })
    }

    /// Fails at once if totpd cannot start because of its configuration. systemd keeps the
    /// connections of a daemon that does not start, so a call alone would wait.
    fn check_started(&self) -> Result<(), Error> {
        let answer = self.runtime.block_on(with_timeout(START_TIMEOUT, async {
            manager(&self.connection().await?).await?.version().await
        }));
        match answer {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(_)) | Err(_) => check_configuration(),
        }
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
            call(manager(&self.connection().await?).await?).await
        }))?;
        match reply {
            Err(DaemonError::NotAuthorized(reason))
                if self.has_no_password && reason.starts_with(AUTHENTICATION_NEEDED) =>
            {
                Err(Error::NotAuthorized(NO_PASSWORD.into()))
            }
            reply => Ok(reply?),
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
                let manager = manager(&self.connection().await?).await?;
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
            self.check_passes_descriptors()?;
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

    /// Fails if totpd is not reached over its private socket, which alone passes file descriptors.
    ///
    /// # Errors
    /// [`Error::Unreachable`].
    pub(crate) fn check_passes_descriptors(&self) -> Result<(), Error> {
        match &self.transport {
            Transport::System(_) => Err(no_private_socket()),
            Transport::Private => Ok(()),
        }
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
                    let mut starting = pin!(bus.start_service_by_name(name, 0));
                    if tokio::time::timeout(START_TIMEOUT, &mut starting).await.is_err() {
                        check_configuration()?;
                        let _ = tokio::time::timeout(REPLY_TIMEOUT, starting).await;
                    }
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

async fn manager(connection: &Connection) -> Result<ManagerProxy<'static>, DaemonError> {
    ManagerProxy::new(connection, authentication::allowed()).await
}

/// Fails if totpd rejects its configuration; see [`configuration_error`].
fn check_configuration() -> Result<(), Error> {
    match configuration_error() {
        Some(reason) => Err(Error::Unreachable(format!("totpd cannot start: {reason}"))),
        None => Ok(()),
    }
}

fn no_private_socket() -> Error {
    Error::Unreachable(format!(
        "totpd does not listen on {PRIVATE_SOCKET}, which this command needs; {}",
        daemon_log::advice()
    ))
}

/// Returns the reply of totpd, or an error after `timeout`. (zbus 6.2 ignores its `method_timeout`
/// for methods that allow interactive authentication.)
pub(crate) async fn with_timeout<T>(
    timeout: Duration,
    call: impl Future<Output = Result<T, DaemonError>>,
) -> Result<Result<T, DaemonError>, Error> {
    tokio::time::timeout(timeout, call).await.map_err(|_| {
        Error::Unreachable(format!(
            "totpd does not answer: no reply within {}; it may still do what was asked; {}",
            output::duration(timeout.as_secs()),
            daemon_log::advice()
        ))
    })
}

const NO_PASSWORD: &str = "not authorized: your account has no password that could be asked for; have root run \
                           \"totpctl enroll USER\", or enroll at a login if your administrator set that up";
/// A daemon that has not answered by then may not be able to start.
const START_TIMEOUT: Duration = Duration::from_secs(1);
/// Longer than the bus waits for a daemon to start.
const REPLY_TIMEOUT: Duration = Duration::from_secs(30);
/// Longer than totpd waits for polkit.
const POLKIT_REPLY_TIMEOUT: Duration = Duration::from_secs(330);
const COMPLETION_TIMEOUT: Duration = Duration::from_secs(1);
const CLOCK_TIMEOUT: Duration = Duration::from_secs(2);
/// How often the progress of a task is shown.
const PROGRESS_POLL_INTERVAL: Duration = Duration::from_millis(200);
