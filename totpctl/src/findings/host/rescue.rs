//! The last resort: whether root can repair this host at its console.

use crate::findings::finding::{Finding, FindingId};
use crate::findings::report::Report;
use crate::host::rescue_mode::is_forced;
use crate::host::shadow::{Password, Shadow};
use crate::unit::has_systemd;

/// Adds a note if rescue mode of this host would let nobody in, for root.
pub(super) fn check(report: &mut Report) {
    if Shadow::of_host().password_of("root") == Some(Password::Locked) && !is_forced() {
        report.notes.push(locked(has_systemd()));
    }
}

fn locked(has_systemd: bool) -> Finding {
    let (mode, parameters) = match has_systemd {
        true => ("rescue mode", RESCUE_OR_SHELL),
        false => ("single-user mode", SHELL),
    };
    let message = format!("the password of root is locked, so {mode} lets nobody in");
    Finding::new(FindingId::RootLocked, message).fix(format!(
        "if nobody can become root any more, add {parameters} to the kernel command line \
         (docs/admin/deploy.md, \"Break glass\")"
    ))
}

const RESCUE_OR_SHELL: &str =
    "\"systemd.unit=rescue.target systemd.setenv=SYSTEMD_SULOGIN_FORCE=1\" or \"init=/bin/sh\"";
const SHELL: &str = "\"init=/bin/sh\"";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_host_with_systemd_is_told_of_its_units() {
        let (with, without) = (locked(true).sentence(), locked(false).sentence());
        assert!(with.contains("systemd.unit=rescue.target") && with.contains("init=/bin/sh"));
        assert!(!without.contains("systemd") && !without.contains("rescue"), "{without}");
        assert!(without.contains("single-user mode") && without.contains("init=/bin/sh"));
    }
}
