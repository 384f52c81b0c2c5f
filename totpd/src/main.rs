//! The daemon's program: options, configuration, store, bus; then it serves until it is stopped.
//!
//! There is no signal handler: everything that was answered is on disk, so SIGTERM and SIGKILL may
//! come at any time.

use std::alloc::System;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use tokio::runtime::{Handle, Runtime};
use tokio::task::JoinHandle;
use totpd::config::{self, Config};
use totpd::daemon::Daemon;
use totpd::dbus;
use totpd::dispatch::Services;
use totpd::host::hardening;
use totpd::host::nss::MOST_LOOKUPS;
use totpd::host::readiness;
use totpd::login::Login;
use totpd::manage::Manager;
use totpd::manage::store::Maintenance;
use totpd::socket::PrivateSocket;
use totpd_core::record_key::Buckets;
use totpd_journal::{Entry, Priority};
use totpd_store::sqlite::{DIRECTORY, Local, OpenError, OpenStore};
use totpd_store::unavailable::UnavailableBackend;
use totpd_store::{Owner, REQUEST_TIMEOUT, Store};
use zeroize::Zeroizing;
use zeroizing_alloc::ZeroAlloc;

/// Memory is wiped when it is freed, whoever had it: the bus library, the backups' and our own.
#[global_allocator]
static MEMORY: ZeroAlloc<System> = ZeroAlloc(System);

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    let word = match arguments.as_slice() {
        [] => None,
        [only] => only.to_str(),
        _ => Some(""),
    };
    match word {
        None => {
            if let Err(why) = serve() {
                Entry::new(Priority::Error, format!("cannot run: {why}")).write();
                return complain(&why);
            }
            ExitCode::SUCCESS
        }
        Some("--check-config") => check_config(),
        Some("--help" | "-h") => say(HELP.trim_start()),
        Some("--version" | "-V") => say(concat!("totpd ", env!("CARGO_PKG_VERSION"), "\n")),
        Some(_) => {
            complain("it takes one option at most: --check-config, --help or --version");
            ExitCode::from(2)
        }
    }
}

fn serve() -> Result<(), String> {
    let say = |error: &dyn std::error::Error| error.to_string();
    hardening::apply().map_err(|error| format!("the process cannot be hardened: {error}"))?;
    if let Err(why) = hardening::lock_memory() {
        let told = format!("seeds may reach swap while they are worked with: {why}");
        Entry::new(Priority::Notice, told).write();
    }
    let config = Config::load(Path::new(config::FILE)).map_err(|error| say(&error))?;
    let host = nix::unistd::gethostname().map_err(|error| say(&error))?;
    let host = label(&host.to_string_lossy());
    let runtime = runtime().map_err(|error| say(&error))?;
    // Whatever the bus brings, what comes over the socket waits for none of it.
    let sockets = in_a_thread().map_err(|error| say(&error))?;
    let systemds = PrivateSocket::from_systemd().map_err(|error| say(&error))?;
    match open() {
        Ok(OpenStore { store, local, buckets }) => {
            let daemon =
                Arc::new(Daemon::new(store, buckets, config, host).map_err(|error| say(&error))?);
            let private = systemds.or_else(|| match PrivateSocket::bind() {
                Ok(private) => Some(private),
                Err(error) => {
                    let told = format!("no private socket, logins need the bus: {error}");
                    Entry::new(Priority::Warning, told).write();
                    None
                }
            });
            let store = Maintenance::new(Arc::clone(&daemon), local);
            runtime.block_on(serving(services(&daemon, Some(store)), private, &sockets))
        }
        Err(error) if error.is_transient() => {
            let told = format!("{error}; logins are refused until that is over");
            Entry::new(Priority::Error, told).write();
            let store =
                Store::new(Arc::new(UnavailableBackend(error.to_string())), REQUEST_TIMEOUT);
            let mut secret = Zeroizing::new([0; 32]);
            getrandom::fill(secret.as_mut_slice()).map_err(|error| say(&error))?;
            let buckets = Buckets::new(secret);
            let daemon =
                Arc::new(Daemon::new(store, buckets, config, host).map_err(|error| say(&error))?);
            runtime.block_on(async {
                let services = services(&daemon, None);
                let served =
                    tokio::spawn(async move { serving(services, systemds, &sockets).await });
                until_it_opens(&served).await
            })
        }
        Err(error) => Err(say(&error)),
    }
}

/// One thread, and those that wait in its stead.
fn runtime() -> std::io::Result<Runtime> {
    tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .enable_time()
        // What other threads hand over is worked on in turn with what arrives here: in a flood of arrivals
        // it would wait for every thirtieth.
        .global_queue_interval(2)
        .max_blocking_threads(MOST_LOOKUPS + 1)
        .thread_stack_size(LOOKUP_STACK)
        .thread_keep_alive(Duration::from_secs(2))
        .build()
}

/// Another one, which works until this process ends.
fn in_a_thread() -> std::io::Result<Handle> {
    let runtime = runtime()?;
    let handle = runtime.handle().clone();
    let work = move || runtime.block_on(std::future::pending::<()>());
    thread::Builder::new().name("sockets".into()).stack_size(LOOKUP_STACK).spawn(work)?;
    Ok(handle)
}

/// All that is served over this daemon.
fn services(daemon: &Arc<Daemon>, store: Option<Maintenance>) -> Services {
    let (login, manager) = (Login(Arc::clone(daemon)), Manager(Arc::clone(daemon)));
    Services { login, manager, store }
}

/// Serves on the private socket, if there is one, and on the bus. Without the former it ends with
/// the bus; with it, it goes on, and waits for a bus to be there.
async fn serving(
    services: Services,
    private: Option<PrivateSocket>,
    sockets: &Handle,
) -> Result<(), String> {
    let lasts = private.is_some();
    if let Some(private) = private
        && let Err(error) = private.serve(services.clone(), sockets)
    {
        let told = format!("the private socket cannot be served: {error}");
        Entry::new(Priority::Error, told).write();
    }
    readiness::report();
    let (mut told, mut pause) = (false, SHORTEST_PAUSE);
    loop {
        let why = match dbus::connect(services.clone()).await {
            Ok(connection) => {
                if told {
                    Entry::new(Priority::Notice, "the system bus is there again".into()).write();
                }
                (told, pause) = (false, SHORTEST_PAUSE);
                connection.closed().await;
                zbus::Error::Failure("it has gone away".into())
            }
            Err(zbus::Error::NameTaken) => return Err(of_the_bus(&zbus::Error::NameTaken)),
            Err(error) => error,
        };
        if !lasts {
            return Err(of_the_bus(&why));
        }
        if !told {
            let text = format!("{}; only programs of root go on without it", of_the_bus(&why));
            Entry::new(Priority::Error, text).write();
            told = true;
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// Waits until there is a store. Then this process ends, and the next login starts one that has it.
async fn until_it_opens(served: &JoinHandle<Result<(), String>>) -> Result<(), String> {
    while !served.is_finished() {
        tokio::time::sleep(TRY_AGAIN).await;
        match tokio::task::spawn_blocking(open).await {
            Ok(Ok(_)) => {
                let told = "the store can be opened again; the next login starts anew with it";
                Entry::new(Priority::Notice, told.into()).write();
                return Ok(());
            }
            Ok(Err(error)) if !error.is_transient() => return Err(error.to_string()),
            _ => {}
        }
    }
    Err("the system bus has gone away".into())
}

fn open() -> Result<OpenStore, OpenError> {
    Local::open(Path::new(DIRECTORY), credentials().as_deref(), Owner::ROOT)
}

fn of_the_bus(error: &zbus::Error) -> String {
    format!("the system bus: {error}")
}

/// Where systemd puts the credentials of this unit.
fn credentials() -> Option<PathBuf> {
    #[expect(clippy::disallowed_methods, reason = "systemd says it that way, and starts us")]
    let folder = std::env::var_os("CREDENTIALS_DIRECTORY");
    folder.map(PathBuf::from).filter(|folder| folder.is_absolute())
}

fn check_config() -> ExitCode {
    match Config::load(Path::new(config::FILE)) {
        Err(error) => complain(&error.to_string()),
        Ok(_) => say("the configuration is good\n"),
    }
}

/// A host name without what a label of a URI cannot hold.
fn label(host: &str) -> String {
    host.chars().filter(|c| !c.is_control() && *c != ':').take(64).collect()
}

fn say(text: &str) -> ExitCode {
    match std::io::stdout().write_all(text.as_bytes()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

fn complain(why: &str) -> ExitCode {
    let _ = writeln!(std::io::stderr(), "totpd: {why}");
    ExitCode::FAILURE
}

/// How soon a store that is not there is tried again.
const TRY_AGAIN: Duration = Duration::from_secs(1);
/// How soon a bus that is not there is tried again: at first, and when that was in vain often.
const SHORTEST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// Enough for the modules of NSS, which run in these threads.
const LOOKUP_STACK: usize = 512 * 1024;

const HELP: &str = "
totpd, the daemon of the second factor. The system bus starts it when a login asks for a code.

Usage: totpd [OPTION]
  --check-config  say whether /etc/totpd/totpd.toml and its drop-ins can be used, and exit
  --version       print the version and exit
  --help          print this and exit

It owns org.totpd.Totp1 on the system bus, reads /etc/totpd/totpd.toml when it starts, and keeps its
records in /var/lib/totpd, sealed under store.key there or the systemd credential totpd.key. Decisions go to the journal (journalctl -t totpd). Manage users with
totpctl.
";
