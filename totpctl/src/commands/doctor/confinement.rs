//! The confinement of the daemon by SELinux or AppArmor. The unit of the daemon cannot keep it from
//! systemd, over the bus.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::finding::{Finding, FindingId};
use super::report::Report;
use crate::installed;
use crate::unit::has_systemd;

/// Adds a note if nothing confines the running daemon.
pub(super) fn check(report: &mut Report) {
    let Some(label) = label_of(&installed::daemon(), 0) else { return };
    let kernel = Kernel {
        selinux_is_enforcing: fs::read_to_string("/sys/fs/selinux/enforce")
            .is_ok_and(|on| on == "1"),
        apparmor_sees_the_bus: Path::new("/sys/kernel/security/apparmor/features/dbus").is_dir(),
    };
    let missing = missing_confinement(&label, &kernel, has_systemd());
    report
        .notes
        .extend(missing.map(|(message, change)| {
            Finding::new(FindingId::TotpdUnconfined, message).fix(change)
        }));
}

/// The rules that this kernel enforces.
struct Kernel {
    selinux_is_enforcing: bool,
    /// True if AppArmor checks messages on the bus. It does in Ubuntu's kernels, and not in
    /// Debian's.
    apparmor_sees_the_bus: bool,
}

/// Returns the AppArmor profile or SELinux context of the process of `program` with this uid. The
/// text is empty if the process has none. The function returns nothing if no such process is
/// visible.
fn label_of(program: &Path, uid: u32) -> Option<String> {
    let folder = processes_of(program, uid).into_iter().next()?;
    // The kernel does not offer this file without SELinux and AppArmor.
    let label = fs::read_to_string(folder.join("attr/current")).unwrap_or_default();
    Some(label.trim_end_matches(['\n', '\0']).to_owned())
}

/// Returns the folders of the processes of `program` with this uid on this host.
pub(super) fn processes_of(program: &Path, uid: u32) -> Vec<PathBuf> {
    // The kernel shows this path after an upgrade, before the restart.
    let replaced = format!("{} (deleted)", program.display());
    let link = |folder: &Path, name: &str| fs::read_link(folder.join(name)).ok();
    // A container on this host may have a daemon of its own.
    let host = link(Path::new("/proc/self"), "ns/pid");
    // Any user may run the program.
    let is_it = |folder: &PathBuf| {
        fs::metadata(folder).is_ok_and(|process| process.uid() == uid)
            && link(folder, "exe").is_some_and(|exe| exe == program || exe == Path::new(&replaced))
            && link(folder, "ns/pid") == host
    };
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    processes.map(|entry| entry.path()).filter(is_it).collect()
}

/// Returns what is missing if a daemon with this label is not confined, and the change to make.
fn missing_confinement(
    label: &str,
    kernel: &Kernel,
    has_systemd: bool,
) -> Option<(&'static str, &'static str)> {
    let by_selinux = label.split(':').nth(2) == Some("totpd_t") && kernel.selinux_is_enforcing;
    let by_apparmor = label == "totpd (enforce)";
    match (by_selinux, by_apparmor, kernel.apparmor_sees_the_bus) {
        (true, _, _) | (_, true, true) => None,
        // Without the unit, the profile is all that there is.
        (_, true, _) if !has_systemd => None,
        _ if !has_systemd => Some(WITHOUT_UNIT),
        (false, _, false) => Some(NO_APPARMOR_ON_THE_BUS),
        (false, false, true) => Some(UNCONFINED),
    }
}

const UNCONFINED: (&str, &str) = (
    "nothing confines totpd on the bus: an attacker in the daemon could have systemd start any program as \
     root",
    "load its AppArmor profile (/usr/share/doc/libpam-totp/examples/apparmor) and restart totpd \
     (distributions.md in the documentation)",
);
const WITHOUT_UNIT: (&str, &str) = (
    "nothing confines totpd: without systemd no unit does, and an attacker in the daemon could do what root can",
    "load its AppArmor profile (/usr/share/doc/libpam-totp/examples/apparmor) or its SELinux module, and start totpd \
     again (distributions.md in the documentation)",
);
const NO_APPARMOR_ON_THE_BUS: (&str, &str) = (
    "nothing confines totpd on the bus: an attacker in the daemon could have systemd start any program as \
     root; AppArmor does not check the bus in this kernel",
    "with SELinux, load the module of totpd and restart it (distributions.md in the documentation)",
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_enforced_profile_or_domain_confines_the_daemon() {
        let kernel = |selinux_is_enforcing, apparmor_sees_the_bus| Kernel {
            selinux_is_enforcing,
            apparmor_sees_the_bus,
        };
        for (label, kernel, expected) in [
            ("totpd (enforce)", kernel(false, true), None),
            ("totpd (enforce)", kernel(false, false), Some(NO_APPARMOR_ON_THE_BUS)),
            ("totpd (print_error)", kernel(false, true), Some(UNCONFINED)),
            ("unconfined", kernel(false, true), Some(UNCONFINED)),
            ("other (enforce)", kernel(false, true), Some(UNCONFINED)),
            ("", kernel(false, false), Some(NO_APPARMOR_ON_THE_BUS)),
            ("system_u:system_r:totpd_t:s0", kernel(true, false), None),
            ("system_u:system_r:totpd_t:s0", kernel(false, true), Some(UNCONFINED)),
            (
                "system_u:system_r:unconfined_service_t:s0",
                kernel(true, false),
                Some(NO_APPARMOR_ON_THE_BUS),
            ),
            ("system_u:totpd_t:initrc_t:s0", kernel(true, false), Some(NO_APPARMOR_ON_THE_BUS)),
        ] {
            assert_eq!(missing_confinement(label, &kernel, true), expected, "{label}");
        }
        for (label, expected) in [
            ("totpd (enforce)", None),
            ("unconfined", Some(WITHOUT_UNIT)),
            ("", Some(WITHOUT_UNIT)),
        ] {
            let found = missing_confinement(label, &kernel(false, false), false);
            assert_eq!(found, expected, "{label}");
        }
    }

    #[test]
    fn a_process_is_found_by_its_program() {
        let (own, uid) = (std::env::current_exe().unwrap(), nix::unistd::geteuid().as_raw());
        assert!(label_of(&own, uid).is_some());
        assert!(label_of(&own, uid + 1).is_none());
        assert!(label_of(Path::new("/no/such/program"), uid).is_none());
    }
}
