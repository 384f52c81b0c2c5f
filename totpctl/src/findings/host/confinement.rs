//! The confinement of the daemon by SELinux or AppArmor. The unit of the daemon cannot keep it from
//! systemd, over the bus.

use crate::findings::finding::{Finding, FindingId};
use crate::findings::report::Report;
use crate::host::confinement::{Kernel, label_of};
use crate::installed;
use crate::unit::has_systemd;

/// Adds a note if nothing confines the running daemon.
pub(super) fn check(report: &mut Report) {
    let Some(label) = label_of(&installed::daemon(), 0) else { return };
    let kernel = Kernel::of_host();
    let missing = missing_confinement(&label, &kernel, has_systemd());
    report
        .notes
        .extend(missing.map(|(message, change)| {
            Finding::new(FindingId::TotpdUnconfined, message).fix(change)
        }));
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
}
