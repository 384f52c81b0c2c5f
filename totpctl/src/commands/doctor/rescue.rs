//! The last resort: whether root can repair this host at its console.

use std::fs;

use super::finding::{Finding, FindingId};
use super::report::Report;

/// Adds a note if rescue mode of this host would let nobody in, for root.
pub(super) fn check(report: &mut Report) {
    let shadow = fs::read_to_string("/etc/shadow").unwrap_or_default();
    if root_is_locked(&shadow) {
        let message = "the password of root is locked, so rescue mode lets nobody in";
        report.notes.push(Finding::new(FindingId::RootLocked, message).fix(BOOT_OTHERWISE));
    }
}

/// Reports whether the password of root can never match.
fn root_is_locked(shadow: &str) -> bool {
    let password = shadow.lines().find_map(|line| line.strip_prefix("root:")?.split(':').next());
    password.is_some_and(|password| password.starts_with(['!', '*']))
}

const BOOT_OTHERWISE: &str = "if nobody can become root any more, add \"systemd.unit=rescue.target \
                              systemd.setenv=SYSTEMD_SULOGIN_FORCE=1\" or \"init=/bin/sh\" to the kernel command line \
                              (docs/admin/deploy.md, \"Break glass\")";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_password_that_never_matches_is_locked() {
        for (shadow, expected) in [
            ("root:*:19000:0:99999:7:::\n", true),
            ("bin:*:1::::::\nroot:!$y$j9T$x:19000:0:99999:7:::\n", true),
            ("root:$y$j9T$x$y:19000:0:99999:7:::\n", false),
            ("root::19000:0:99999:7:::\n", false),
            ("toroot:*:1::::::\n", false),
            ("", false),
        ] {
            assert_eq!(root_is_locked(shadow), expected, "{shadow}");
        }
    }
}
