//! The last resort: whether root can repair this host at its console.

use crate::findings::finding::{Finding, FindingId};
use crate::findings::report::Report;
use crate::host::root_password::RootPassword;

/// Adds a note if rescue mode of this host would let nobody in, for root.
pub(super) fn check(report: &mut Report) {
    if RootPassword::of_host() == RootPassword::Locked {
        let message = "the password of root is locked, so rescue mode lets nobody in";
        report.notes.push(Finding::new(FindingId::RootLocked, message).fix(BOOT_OTHERWISE));
    }
}

const BOOT_OTHERWISE: &str = "if nobody can become root any more, add \"systemd.unit=rescue.target \
                              systemd.setenv=SYSTEMD_SULOGIN_FORCE=1\" or \"init=/bin/sh\" to the kernel command line \
                              (docs/admin/deploy.md, \"Break glass\")";
