//! The connection to the bus, which the daemon keeps up.

use std::time::Duration;

use crate::audit::condition::Condition;
use crate::dbus;
use crate::dispatch::Services;

/// Serves on the bus. With a private socket, it connects again whenever the bus is gone. Without
/// one, it returns then.
///
/// Returns the reason why the bus cannot be used. It always returns if another process owns the
/// name.
pub(super) async fn serve_on_bus(services: Services, has_socket: bool) -> zbus::Error {
    let (mut is_reported, mut pause) = (false, MIN_RETRY_INTERVAL);
    loop {
        let reason = match dbus::connect(services.clone()).await {
            Ok(connection) => {
                if is_reported {
                    Condition::BusAvailable.entry("the system bus is back".into()).write();
                }
                (is_reported, pause) = (false, MIN_RETRY_INTERVAL);
                connection.closed().await;
                zbus::Error::Failure("the connection ended".into())
            }
            Err(error) => error,
        };
        if !has_socket || matches!(reason, zbus::Error::NameTaken) {
            return reason;
        }
        if !is_reported {
            let message = format!(
                "the system bus: {reason}; until it is back, only root's programs are served"
            );
            Condition::BusUnavailable.entry(message).write();
            is_reported = true;
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(MAX_RETRY_INTERVAL);
    }
}

/// The first pause before another connection. It doubles up to [`MAX_RETRY_INTERVAL`].
const MIN_RETRY_INTERVAL: Duration = Duration::from_millis(50);
const MAX_RETRY_INTERVAL: Duration = Duration::from_secs(2);
