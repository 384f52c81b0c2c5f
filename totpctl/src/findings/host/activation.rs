//! What starts the daemon again after its end, or at boot.

use crate::findings::finding::{Finding, FindingId};
use crate::findings::report::Report;
use crate::host::starters::Starters;
use crate::installed;

/// Adds a note if nothing does, for a daemon that runs now.
pub(super) fn check(report: &mut Report) {
    report.notes.extend(finding(&Starters::of_host()));
}

fn finding(starters: &Starters) -> Option<Finding> {
    let is_started = starters.has_systemd || starters.has_bus_activation || starters.has_script;
    (!is_started).then(|| {
        let fix = format!("have the init of this host start {}", installed::daemon().display());
        Finding::new(FindingId::TotpdNotStarted, NOT_STARTED).fix(fix)
    })
}

const NOT_STARTED: &str = "nothing starts totpd again if it ends or the host reboots: no systemd, D-Bus or init \
                           script; every login with a code is then denied";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_way_to_start_it_is_enough() {
        for ways in 0..8 {
            let starters = Starters {
                has_systemd: ways & 1 != 0,
                has_bus_activation: ways & 2 != 0,
                has_script: ways & 4 != 0,
            };
            assert_eq!(finding(&starters).is_some(), ways == 0, "{ways}");
        }
    }
}
