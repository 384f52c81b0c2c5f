//! A connection to totpd over the system bus.

use std::time::Duration;

use totpd_interface::{LoginProxy, ManagerProxy, SYSTEM_BUS};
use zbus::Connection;
use zbus::connection::Builder;

use crate::failure::Failure;

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
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .enable_time()
            .build()
            .map_err(|error| Failure::refused(format!("no runtime: {error}")))?;
        let connection = runtime
            .block_on(Builder::address(SYSTEM_BUS).method_timeout(PATIENCE).build())
            .map_err(|error| {
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
