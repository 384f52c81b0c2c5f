//! What can start the daemon on this host.

use std::fs;
use std::os::unix::net::UnixStream;
use std::path::Path;

/// What can start the daemon again.
pub(crate) struct Starters {
    pub(crate) has_systemd: bool,
    pub(crate) has_bus_activation: bool,
    /// True if an init, or a supervisor of services, has a script for it.
    pub(crate) has_script: bool,
}

impl Starters {
    pub(crate) fn of_host() -> Self {
        Self {
            has_systemd: Path::new("/run/systemd/system").is_dir(),
            has_bus_activation: UnixStream::connect(BUS).is_ok()
                && BUS_FOLDERS.iter().any(|folder| Path::new(folder).join(BUS_SERVICE).exists()),
            has_script: SCRIPTS.iter().any(|path| fs::exists(path).unwrap_or(false)),
        }
    }
}

const BUS: &str = "/run/dbus/system_bus_socket";
const BUS_SERVICE: &str = "org.totpd.Totp1.service";
const BUS_FOLDERS: [&str; 4] = [
    "/etc/dbus-1/system-services",
    "/usr/local/share/dbus-1/system-services",
    "/usr/share/dbus-1/system-services",
    "/run/current-system/sw/share/dbus-1/system-services",
];
const SCRIPTS: [&str; 4] =
    ["/etc/init.d/totpd", "/etc/sv/totpd", "/etc/service/totpd", "/etc/s6/sv/totpd"];
