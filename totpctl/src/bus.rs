//! A connection to totpd over the system bus.

use std::pin::pin;
use std::time::Duration;

use totpd_interface::{LoginProxy, ManagerProxy, SYSTEM_BUS, StoreProxy};
use zbus::Connection;
use zbus::connection::Builder;

use crate::agent::Agent;
use crate::failure::Failure;
use crate::progress::Bar;

/// A connection to the bus, and what drives it.
pub(crate) struct Bus {
    runtime: tokio::runtime::Runtime,
    connection: Connection,
    /// How long an answer is waited for.
    patience: Duration,
    _agent: Option<Agent>,
}

impl Bus {
    /// Connects.
    ///
    /// # Errors
    /// [`Failure::Unreachable`] where there is no bus.
    pub(crate) fn connect() -> Result<Self, Failure> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .enable_time()
            .build()
            .map_err(|error| Failure::refused(format!("no runtime: {error}")))?;
        let connection = runtime.block_on(async {
            let connecting = Builder::address(SYSTEM_BUS).build();
            let connected = tokio::time::timeout(PATIENCE, connecting).await;
            let why = match connected {
                Ok(Ok(connection)) => return Ok(connection),
                Ok(Err(error)) => error.to_string(),
                Err(_) => "it does not answer".into(),
            };
            Err(Failure::Unreachable(format!("the system bus cannot be reached: {why}")))
        })?;
        // Whoever is not root may have to authenticate, which takes as long as a person takes.
        let is_root = nix::unistd::geteuid().is_root();
        let patience = if is_root { PATIENCE } else { PATIENCE_FOR_PEOPLE };
        let agent = if is_root { None } else { Agent::start() };
        Ok(Self { runtime, connection, patience, _agent: agent })
    }

    /// Asks the `Manager` interface.
    pub(crate) fn manager<T>(
        &self,
        question: impl AsyncFnOnce(ManagerProxy<'_>) -> Result<T, totpd_interface::Error>,
    ) -> Result<T, Failure> {
        Ok(self.runtime.block_on(answered(self.patience, async {
            question(ManagerProxy::new(&self.connection).await?).await
        }))??)
    }

    /// Runs something of many questions to the `Manager` interface, each to be [`answered`] in this time.
    pub(crate) fn managers<T>(
        &self,
        work: impl AsyncFnOnce(ManagerProxy<'static>, Duration) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        self.runtime.block_on(async {
            let manager = ManagerProxy::new(&self.connection).await?;
            tokio::task::LocalSet::new().run_until(work(manager, self.patience)).await
        })
    }

    /// Whether the clock of this machine is synchronised, if anybody knows.
    pub(crate) fn clock_is_synchronised(&self) -> Option<bool> {
        self.runtime.block_on(async {
            let asked = self.connection.call_method(
                Some("org.freedesktop.timedate1"),
                "/org/freedesktop/timedate1",
                Some("org.freedesktop.DBus.Properties"),
                "Get",
                &("org.freedesktop.timedate1", "NTPSynchronized"),
            );
            let answer = tokio::time::timeout(CLOCK_PATIENCE, asked).await.ok()?.ok()?;
            answer.body().deserialize::<zbus::Variant<'_>>().ok()?.downcast_ref().ok()
        })
    }

    /// Has a task of the `Store` interface done, which may take minutes, and shows how far it is. A daemon that
    /// does not say how far it is any more does nothing.
    pub(crate) fn store<T>(
        &self,
        what: &str,
        task: impl AsyncFnOnce(StoreProxy<'_>) -> Result<T, totpd_interface::Error>,
    ) -> Result<T, Failure> {
        self.runtime.block_on(async {
            let mut task = pin!(task(StoreProxy::new(&self.connection).await?));
            let (watched, mut bar) = (StoreProxy::new(&self.connection).await?, Bar::new(what));
            loop {
                if let Ok(done) = tokio::time::timeout(LOOK_EVERY, &mut task).await {
                    return Ok(done?);
                }
                let (done, total) = answered(self.patience, watched.progress()).await??;
                if bar.is_due() {
                    bar.show(done, total);
                }
            }
        })
    }

    /// Asks the `Login` interface.
    pub(crate) fn login<T>(
        &self,
        question: impl AsyncFnOnce(LoginProxy<'_>) -> Result<T, totpd_interface::Error>,
    ) -> Result<T, Failure> {
        Ok(self.runtime.block_on(answered(self.patience, async {
            question(LoginProxy::new(&self.connection).await?).await
        }))??)
    }
}

/// The answer to what totpd is asked, or an error, if one of them comes in this time. (`method_timeout` of zbus 6.2 is not heeded by
/// methods that allow a person to authenticate.)
pub(crate) async fn answered<T>(
    patience: Duration,
    asked: impl Future<Output = Result<T, totpd_interface::Error>>,
) -> Result<Result<T, totpd_interface::Error>, Failure> {
    tokio::time::timeout(patience, asked).await.map_err(|_| {
        Failure::Unreachable(format!(
            "totpd does not answer: there was nothing from it for {} seconds, and what it was asked may be done \
             yet; see its journal (journalctl -t totpd)",
            patience.as_secs()
        ))
    })
}

/// Longer than the bus waits for a daemon that it has to start.
const PATIENCE: Duration = Duration::from_secs(30);
/// Longer than totpd waits for polkit.
const PATIENCE_FOR_PEOPLE: Duration = Duration::from_secs(330);
const CLOCK_PATIENCE: Duration = Duration::from_secs(2);
/// How often a long task is asked how far it is.
const LOOK_EVERY: Duration = Duration::from_millis(200);
