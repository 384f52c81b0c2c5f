//! The last resort: whether root can repair this host at its console.

use std::fs;

use super::door::CodeNeed;
use super::finding::{Finding, FindingId};
use super::report::Report;
use crate::unit::has_systemd;

/// Whether root has a password at the console.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum RootPassword {
    /// It can be typed.
    Usable,
    /// It can never match.
    Locked,
    /// This process may not read it, or there is none to read.
    NotSeen,
}

impl RootPassword {
    /// Returns that of this host.
    pub(super) fn of_host() -> Self {
        Self::from_shadow(fs::read_to_string("/etc/shadow").ok().as_deref())
    }

    /// Reads the text of shadow.
    fn from_shadow(shadow: Option<&str>) -> Self {
        let mut lines = shadow.unwrap_or_default().lines();
        match lines.find_map(|line| line.strip_prefix("root:")) {
            Some(rest) if rest.starts_with(['!', '*']) => Self::Locked,
            Some(_) => Self::Usable,
            None => Self::NotSeen,
        }
    }
}

/// Adds a note if rescue mode of this host would let nobody in, for root.
pub(super) fn check(report: &mut Report) {
    if RootPassword::of_host() == RootPassword::Locked {
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

/// Returns what `sulogin` asks for: the password of root, and no code.
pub(super) fn code(password: RootPassword) -> CodeNeed {
    match password {
        RootPassword::Usable => CodeNeed::NotAsked,
        RootPassword::Locked => CodeNeed::Closed(
            "root is locked, and rescue mode asks for the password of root".to_owned(),
        ),
        RootPassword::NotSeen => CodeNeed::Unknown(
            "rescue mode asks for the password of root, which only root can see in /etc/shadow"
                .to_owned(),
        ),
    }
}

const RESCUE_OR_SHELL: &str =
    "\"systemd.unit=rescue.target systemd.setenv=SYSTEMD_SULOGIN_FORCE=1\" or \"init=/bin/sh\"";
const SHELL: &str = "\"init=/bin/sh\"";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_password_that_never_matches_is_locked() {
        for (shadow, expected) in [
            (Some("root:*:19000:0:99999:7:::\n"), RootPassword::Locked),
            (Some("bin:*:1::::::\nroot:!$y$j9T$x:19000:0:99999:7:::\n"), RootPassword::Locked),
            (Some("root:$y$j9T$x$y:19000:0:99999:7:::\n"), RootPassword::Usable),
            (Some("root::19000:0:99999:7:::\n"), RootPassword::Usable),
            (Some("toroot:*:1::::::\n"), RootPassword::NotSeen),
            (Some(""), RootPassword::NotSeen),
            (None, RootPassword::NotSeen),
        ] {
            assert_eq!(RootPassword::from_shadow(shadow), expected, "{shadow:?}");
        }
    }

    #[test]
    fn only_a_host_with_systemd_is_told_of_its_units() {
        let (with, without) = (locked(true).sentence(), locked(false).sentence());
        assert!(with.contains("systemd.unit=rescue.target") && with.contains("init=/bin/sh"));
        assert!(!without.contains("systemd") && !without.contains("rescue"), "{without}");
        assert!(without.contains("single-user mode") && without.contains("init=/bin/sh"));
    }

    #[test]
    fn a_password_that_is_not_seen_is_no_way_in_that_is_open() {
        assert_eq!(code(RootPassword::Usable), CodeNeed::NotAsked);
        assert!(matches!(code(RootPassword::Locked), CodeNeed::Closed(_)));
        assert!(matches!(code(RootPassword::NotSeen), CodeNeed::Unknown(_)));
    }
}
