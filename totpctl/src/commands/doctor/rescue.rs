//! The last resort: whether root can repair this host at its console.

use std::fs;
use std::path::PathBuf;

use super::door::Code;
use super::finding::{Finding, FindingId};
use super::report::Report;

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
        Self::of(fs::read_to_string("/etc/shadow").ok().as_deref())
    }

    /// Reads the text of shadow.
    fn of(shadow: Option<&str>) -> Self {
        let mut lines = shadow.unwrap_or_default().lines();
        match lines.find_map(|line| line.strip_prefix("root:")) {
            Some(rest) if rest.starts_with(['!', '*']) => Self::Locked,
            Some(_) => Self::Usable,
            None => Self::NotSeen,
        }
    }
}

/// Returns what rescue mode of this host asks for.
pub(super) fn code_of_host() -> Code {
    if is_forced() { Code::NotAsked } else { code(RootPassword::of_host()) }
}

/// Reports whether rescue mode starts a shell without a password if root is locked.
fn is_forced() -> bool {
    let texts = SETTINGS.iter().flat_map(|pattern| glob::glob(pattern).into_iter().flatten());
    let command_line = [Ok(PathBuf::from("/proc/cmdline"))];
    let mut texts = texts.chain(command_line).flatten().filter_map(|path| fs::read(path).ok());
    RootPassword::of_host() == RootPassword::Locked
        && texts.any(|text| forces(&String::from_utf8_lossy(&text)))
}

fn forces(text: &str) -> bool {
    let lines = text.lines().filter(|line| !line.trim_start().starts_with(['#', ';']));
    let mut words = lines.flat_map(|line| line.split(|c: char| c.is_whitespace() || c == '"'));
    words.any(|word| {
        let value = word.rsplit_once("SYSTEMD_SULOGIN_FORCE=").map(|(_, value)| value);
        value.is_some_and(|value| ["1", "on", "true", "y", "yes"].contains(&value))
    })
}

/// Adds a note if rescue mode of this host would let nobody in, for root.
pub(super) fn check(report: &mut Report) {
    if RootPassword::of_host() == RootPassword::Locked && !is_forced() {
        let message = "the password of root is locked, so rescue mode lets nobody in";
        report.notes.push(Finding::new(FindingId::RootLocked, message).fix(BOOT_OTHERWISE));
    }
}

/// Returns what `sulogin` asks for: the password of root, and no code.
fn code(password: RootPassword) -> Code {
    match password {
        RootPassword::Usable => Code::NotAsked,
        RootPassword::Locked => {
            Code::Closed("root is locked, and rescue mode asks for the password of root".to_owned())
        }
        RootPassword::NotSeen => Code::Unknown(
            "rescue mode asks for the password of root, which only root can see in /etc/shadow"
                .to_owned(),
        ),
    }
}

const BOOT_OTHERWISE: &str = "if nobody can become root any more, add \"systemd.unit=rescue.target \
                              systemd.setenv=SYSTEMD_SULOGIN_FORCE=1\" or \"init=/bin/sh\" to the kernel command line \
                              (docs/admin/deploy.md, \"Break glass\")";

/// Where systemd may be told so, besides the kernel command line.
const SETTINGS: [&str; 5] = [
    "/etc/systemd/system.conf",
    "/etc/systemd/system.conf.d/*.conf",
    "/etc/systemd/system/*.service.d/*.conf",
    "/usr/lib/systemd/system.conf.d/*.conf",
    "/usr/lib/systemd/system/*.service.d/*.conf",
];

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
            assert_eq!(RootPassword::of(shadow), expected, "{shadow:?}");
        }
    }

    #[test]
    fn a_shell_without_a_password_is_forced() {
        for (text, expected) in [
            ("[Service]\nEnvironment=SYSTEMD_SULOGIN_FORCE=1\n", true),
            ("[Manager]\nDefaultEnvironment=\"A=1\" \"SYSTEMD_SULOGIN_FORCE=yes\"\n", true),
            ("root=/dev/sda systemd.setenv=SYSTEMD_SULOGIN_FORCE=1 quiet\n", true),
            ("[Service]\n# Environment=SYSTEMD_SULOGIN_FORCE=1\n", false),
            ("Environment=SYSTEMD_SULOGIN_FORCE=0\n", false),
            ("", false),
        ] {
            assert_eq!(forces(text), expected, "{text}");
        }
    }

    #[test]
    fn a_password_that_is_not_seen_is_no_way_in_that_is_open() {
        assert_eq!(code(RootPassword::Usable), Code::NotAsked);
        assert!(matches!(code(RootPassword::Locked), Code::Closed(_)));
        assert!(matches!(code(RootPassword::NotSeen), Code::Unknown(_)));
    }
}
