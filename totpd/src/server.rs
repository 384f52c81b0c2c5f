//! The server: configuration, store, private socket and bus. It serves until the process ends.
//!
//! SIGTERM and SIGINT end the mark of the store first (`host::signals`). SIGKILL may come at any
//! time: the next start finds out what is on disk.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::{Handle, Runtime};
use tokio::task::JoinHandle;
use totpd_core::record_key::Buckets;
use totpd_journal::{Entry, Priority};
use totpd_store::sealer::has_warned_of_swap;
use totpd_store::sqlite::{DIRECTORY, Local, MarkSettings, OpenError, OpenStore};
use totpd_store::unavailable::UnavailableBackend;
use totpd_store::{Owner, REQUEST_TIMEOUT, Store};
use zeroize::Zeroizing;

use crate::audit::condition::Condition;
use crate::config::{CONFIG_FILE, Config, ConfigError, RuleSet};
use crate::daemon::Daemon;
use crate::daemon::deadlines::Deadlines;
use crate::daemon::remembering::Remembering;
use crate::dispatch::Services;
use crate::host::signals::Signals;
use crate::host::{boot, clock, hardening, readiness, run_directory};
use crate::login::local::LocalLogin;
use crate::manage::Manager;
use crate::manage::store::StoreService;
use crate::server::bus::serve_on_bus;
use crate::server::runtime::{runtime, runtime_in_thread};
use crate::socket::PrivateSocket;

mod bus;
mod runtime;

/// The reason why the daemon cannot serve.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// The kernel refused to protect the memory of the process.
    #[error("cannot harden the process: {0}")]
    Hardening(nix::Error),
    /// The configuration cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The kernel did not tell the name of the host.
    #[error("cannot read the host name: {0}")]
    HostName(nix::Error),
    /// A thread or its runtime cannot be started.
    #[error("cannot start threads: {0}")]
    Threads(io::Error),
    /// systemd passed another socket than the private one.
    #[error("cannot use the socket of systemd: {0}")]
    Socket(io::Error),
    /// The daemon cannot open the store, and a wait would not help.
    #[error(transparent)]
    Store(#[from] OpenError),
    /// The kernel gave no randomness.
    #[error("cannot draw a key: getrandom failed: {0}")]
    Random(#[from] getrandom::Error),
    /// The bus cannot be used, and there is no private socket.
    #[error("the system bus: {0}")]
    Bus(#[from] zbus::Error),
    /// The serving ended while the store was unavailable.
    #[error("serving ended: {0}")]
    Ended(#[from] tokio::task::JoinError),
}

/// Runs the daemon. Returns `Ok` only after the store was unavailable and can be opened again. The
/// next login starts a process that has it.
///
/// # Errors
/// [`ServerError`], with the reason why the daemon cannot serve, or stopped.
pub fn run() -> Result<(), ServerError> {
    hardening::harden_process().map_err(ServerError::Hardening)?;
    let memory = hardening::lock_memory();
    let (config, rules) = Config::load(Path::new(CONFIG_FILE), Owner::ROOT)?;
    let makes_marks = config.makes_marks;
    let host = nix::unistd::gethostname().map_err(ServerError::HostName)?;
    let host = as_label(&host.to_string_lossy());
    let signals = Signals::handle().map_err(ServerError::Threads)?;
    let runtime = runtime().map_err(ServerError::Threads)?;
    // The calls over the socket wait for no call over the bus.
    let socket_runtime = runtime_in_thread().map_err(ServerError::Threads)?;
    let socket = PrivateSocket::from_systemd().map_err(ServerError::Socket)?;
    let opened = open_store(makes_marks);
    if let Err(reason) = memory
        && !has_warned_of_swap()
    {
        let message = format!(
            "seeds may reach swap: cannot lock memory: {reason}; raise LimitMEMLOCK of totpd.service, \
             in a container that of its host, or encrypt swap"
        );
        Entry::new(Priority::Notice, message).write();
    }
    match opened {
        Ok(OpenStore { store, local, buckets }) => {
            signals.end(local.clone());
            let daemon = Daemon::new(store, buckets, config, host);
            let mut daemon = daemon.map_err(ServerError::Threads)?;
            daemon.deadlines = Deadlines::in_file(Some(Path::new(PASSED_DEADLINES)));
            daemon.remembering = Remembering::new(boot::id(Some(Path::new(WITNESS)))?);
            let daemon = in_force(daemon, rules, &signals);
            let store_service = StoreService::new(Arc::clone(&daemon), local);
            let socket = socket.or_else(bind_socket);
            runtime.block_on(serve(services(daemon, Some(store_service)), socket, &socket_runtime))
        }
        Err(error) if error.is_transient() => {
            let message = format!("{error}; logins are refused until that is over");
            Condition::StoreUnavailable.entry(message).write();
            let store =
                Store::new(Arc::new(UnavailableBackend(error.to_string())), REQUEST_TIMEOUT);
            let daemon = Daemon::new(store, random_buckets()?, config, host);
            let daemon = in_force(daemon.map_err(ServerError::Threads)?, rules, &signals);
            serve_without_store(
                &runtime,
                services(daemon, None),
                socket,
                socket_runtime,
                makes_marks,
            )
        }
        Err(error) => Err(error.into()),
    }
}

/// Returns the daemon with these rules in force, until a signal has it read others.
fn in_force(daemon: Daemon, rules: RuleSet, signals: &Signals) -> Arc<Daemon> {
    daemon.enforce(rules);
    let daemon = Arc::new(daemon);
    let to_reload = Arc::clone(&daemon);
    signals.on_reload(move || {
        if let Ok(reloaded) = to_reload.reload() {
            reloaded.warnings();
        }
    });
    daemon
}

fn services(daemon: Arc<Daemon>, store: Option<StoreService>) -> Services {
    let login = Arc::new(LocalLogin(Arc::clone(&daemon)));
    Services { login, manager: Manager(daemon), store }
}

/// Serves on the private socket, if there is one, and on the bus.
async fn serve(
    services: Services,
    socket: Option<PrivateSocket>,
    socket_runtime: &Handle,
) -> Result<(), ServerError> {
    let has_socket = socket.is_some();
    if let Some(socket) = socket
        && let Err(error) = socket.serve(services.clone(), socket_runtime)
    {
        let message = format!("cannot serve the private socket: {error}");
        Condition::SocketUnavailable.entry(message).write();
    }
    readiness::notify_ready();
    Err(serve_on_bus(services, has_socket).await.into())
}

/// Refuses every login, in the words of the contract, until the store can be opened. Serves only
/// the socket of systemd. Without the store, another daemon may own the place of the socket.
fn serve_without_store(
    runtime: &Runtime,
    services: Services,
    socket: Option<PrivateSocket>,
    socket_runtime: Handle,
    makes_marks: bool,
) -> Result<(), ServerError> {
    runtime.block_on(async {
        let server_task =
            tokio::spawn(async move { serve(services, socket, &socket_runtime).await });
        wait_for_store(server_task, makes_marks).await
    })
}

/// Returns when the store can be opened, or `server_task` ends. Does not keep the store open. This
/// process ends, and the next login starts one that has it.
async fn wait_for_store(
    server_task: JoinHandle<Result<(), ServerError>>,
    makes_marks: bool,
) -> Result<(), ServerError> {
    while !server_task.is_finished() {
        tokio::time::sleep(STORE_RETRY_INTERVAL).await;
        match tokio::task::spawn_blocking(move || open_store(makes_marks)).await {
            Ok(Ok(_)) => {
                let message = "the store can be opened again; the next login starts a new daemon";
                Condition::StoreAvailable.entry(message.into()).write();
                return Ok(());
            }
            Ok(Err(error)) if !error.is_transient() => return Err(error.into()),
            Ok(Err(_)) | Err(_) => {}
        }
    }
    server_task.await?
}

fn open_store(makes_marks: bool) -> Result<OpenStore, OpenError> {
    let witness = Path::new(WITNESS);
    // Without it the store cannot make the witness, and says so.
    let _ = witness.parent().map(run_directory::create);
    let marks = MarkSettings { witness, is_on: makes_marks, now: clock::now };
    let credentials = credentials_directory();
    Local::open(Path::new(DIRECTORY), credentials.as_deref(), Some(marks), Owner::ROOT)
}

/// Returns the socket that the daemon makes itself. Without it, logins still have the bus.
fn bind_socket() -> Option<PrivateSocket> {
    let report = |error: &io::Error| {
        let message = format!("cannot make the private socket, so logins need the bus: {error}");
        Condition::SocketUnavailable.entry(message).write();
    };
    PrivateSocket::bind().inspect_err(report).ok()
}

/// Returns buckets for the life of this process.
fn random_buckets() -> Result<Buckets, getrandom::Error> {
    let mut secret = Zeroizing::new([0; 32]);
    getrandom::fill(secret.as_mut_slice())?;
    Ok(Buckets::new(&secret))
}

/// Returns the directory in which systemd puts the credentials of the unit.
fn credentials_directory() -> Option<PathBuf> {
    #[expect(clippy::disallowed_methods, reason = "systemd says it that way, and starts us")]
    let path = std::env::var_os("CREDENTIALS_DIRECTORY");
    path.map(PathBuf::from).filter(|path| path.is_absolute())
}

/// Returns a host name without the characters that a label of a URI cannot hold.
fn as_label(host: &str) -> String {
    host.chars().filter(|c| !c.is_control() && *c != ':').take(MAX_LABEL_CHARS).collect()
}

/// The deadlines of rules that passed, so that they stay passed.
const PASSED_DEADLINES: &str = "/var/lib/totpd/deadlines";
/// The directory of the witness of the mark, and of the id of this run of the host. systemd keeps
/// it while the host runs.
const WITNESS: &str = "/run/totpd/witness";
/// The interval between attempts to open an unavailable store.
const STORE_RETRY_INTERVAL: Duration = Duration::from_secs(1);
/// The maximum number of characters of the host name in an issuer.
const MAX_LABEL_CHARS: usize = 64;
