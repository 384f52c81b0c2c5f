//! What starts the daemon again after its end, or at boot.

use std::fs;
use std::os::unix::net::UnixStream;
use std::path::Path;

use super::finding::{Finding, FindingId};
use super::report::Report;
use crate::installed;

/// Adds a note if nothing does, for a daemon that runs now.
pub(super) fn check(report: &mut Report) {
    let host = Host {
        has_systemd: Path::new("/run/systemd/system").is_dir(),
        has_bus_activation: UnixStream::connect(BUS).is_ok()
            && BUS_FOLDERS.iter().any(|folder| Path::new(folder).join(BUS_SERVICE).exists()),
        has_script: SCRIPTS.iter().any(|path| fs::exists(path).unwrap_or(false)),
    };
    report.notes.extend(finding(&host));
}

/// What can start it.
struct Host {
    has_systemd: bool,
    has_bus_activation: bool,
    /// True if an init, or a supervisor of services, has a script for it.
    has_script: bool,
}

fn finding(host: &Host) -> Option<Finding> {
    let is_started = host.has_systemd || host.has_bus_activation || host.has_script;
    (!is_started).then(|| {
        let fix = format!("have the init of this host start {}", installed::daemon().display());
        Finding::new(FindingId::TotpdNotStarted, NOT_STARTED).fix(fix)
    })
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
const NOT_STARTED: &str = "nothing starts totpd again if it ends or the host reboots, and every login with a code is \
                           then denied: neither systemd nor D-Bus does it here, and no script of an init";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_way_to_start_it_is_enough() {
        for ways in 0..8 {
            let host = Host {
                has_systemd: ways & 1 != 0,
                has_bus_activation: ways & 2 != 0,
                has_script: ways & 4 != 0,
            };
            assert_eq!(finding(&host).is_some(), ways == 0, "{ways}");
        }
    }
}
