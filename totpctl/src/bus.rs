//! A connection to totpd over the system bus.

use std::pin::pin;
use std::time::Duration;

use totpd_interface::{LoginProxy, ManagerProxy, SYSTEM_BUS, StoreProxy};
use zbus::Connection;
use zbus::connection::Builder;

use crate::failure::Failure;
use crate::progress::Bar;

/// A connection to the bus, and what drives it.
pub(crate) struct Bus {
    runtime: tokio::runtime::Runtime,
    connection: Connection,
}

impl Bus {
    /// Connects.
    ///
    /// # Errors
    /// [`Failure::Unreachable`] where there is no bus.
    pub(crate) fn connect() -> Result<Self, Failure> {
        Self::with(|builder| builder.method_timeout(PATIENCE))
    }

    /// Connects for tasks that may take minutes.
    ///
    /// # Errors
    /// [`Failure::Unreachable`] where there is no bus.
    pub(crate) fn connect_patiently() -> Result<Self, Failure> {
        Self::with(|builder| builder)
    }

    fn with(patience: impl FnOnce(Builder<'_>) -> Builder<'_>) -> Result<Self, Failure> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .enable_time()
            .build()
            .map_err(|error| Failure::refused(format!("no runtime: {error}")))?;
        let connection =
            runtime.block_on(patience(Builder::address(SYSTEM_BUS)).build()).map_err(|error| {
                Failure::Unreachable(format!("the system bus cannot be reached: {error}"))
            })?;
        Ok(Self { runtime, connection })
    }

    /// Asks the `Manager` interface.
    pub(crate) fn manager<T>(
        &self,
        question: impl AsyncFnOnce(ManagerProxy<'_>) -> Result<T, totpd_interface::Error>,
    ) -> Result<T, Failure> {
        self.runtime
            .block_on(async { Ok(question(ManagerProxy::new(&self.connection).await?).await?) })
    }

    /// Has a task of the `Store` interface done, and shows how far it is.
    pub(crate) fn store<T>(
        &self,
        what: &str,
        task: impl AsyncFnOnce(StoreProxy<'_>) -> Result<T, totpd_interface::Error>,
    ) -> Result<T, Failure> {
        self.runtime.block_on(async {
            let mut task = pin!(task(StoreProxy::new(&self.connection).await?));
            let (watched, mut bar) = (StoreProxy::new(&self.connection).await?, Bar::new(what));
            loop {
                match tokio::time::timeout(LOOK_EVERY, &mut task).await {
                    Ok(done) => return Ok(done?),
                    Err(_) if bar.is_due() => {
                        let (done, total) = watched.progress().await?;
                        bar.show(done, total);
                    }
                    Err(_) => {}
                }
            }
        })
    }

    /// Asks the `Login` interface.
    pub(crate) fn login<T>(
        &self,
        question: impl AsyncFnOnce(LoginProxy<'_>) -> Result<T, totpd_interface::Error>,
    ) -> Result<T, Failure> {
        self.runtime
            .block_on(async { Ok(question(LoginProxy::new(&self.connection).await?).await?) })
    }
}

/// Longer than the bus waits for a daemon that it has to start.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often a long task is asked how far it is.
const LOOK_EVERY: Duration = Duration::from_millis(200);
