//! Where the daemon's log is on this host.

use std::path::Path;

/// Returns the advice to read it: an imperative.
pub(crate) fn advice() -> &'static str {
    match Path::new("/run/systemd/journal").is_dir() {
        true => "see its journal: journalctl -t totpd",
        false => "see the lines of totpd in the log of syslog, such as /var/log/auth.log",
    }
}
