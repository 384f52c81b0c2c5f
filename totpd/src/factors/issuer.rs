//! The issuer of a factor, which an authenticator app shows.

use crate::daemon::Daemon;

/// Returns the text before the account in a phone app: the given one, or the configured one.
pub(crate) fn issuer(daemon: &Daemon, given: Option<String>) -> String {
    given.unwrap_or_else(|| daemon.config.issuer.clone()).replace("%h", &daemon.host)
}
