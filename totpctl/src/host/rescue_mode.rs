//! What rescue mode of this host asks for.

use std::fs;
use std::path::PathBuf;

use super::door::CodeNeed;
use super::shadow::{Password, Shadow};

/// Returns what rescue mode of this host asks for.
pub(crate) fn code_of_host() -> CodeNeed {
    if is_forced() { CodeNeed::NotAsked } else { code(password_of_root()) }
}

/// Reports whether rescue mode starts a shell without a password if root is locked.
pub(crate) fn is_forced() -> bool {
    let texts = SETTINGS.iter().flat_map(|pattern| glob::glob(pattern).into_iter().flatten());
    let command_line = [Ok(PathBuf::from("/proc/cmdline"))];
    let mut texts = texts.chain(command_line).flatten().filter_map(|path| fs::read(path).ok());
    password_of_root() == Some(Password::Locked)
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

fn password_of_root() -> Option<Password> {
    Shadow::of_host().password_of("root")
}

/// Returns what `sulogin` asks for: the password of root, and no code.
fn code(password: Option<Password>) -> CodeNeed {
    match password {
        Some(Password::Set | Password::Empty) => CodeNeed::NotAsked,
        Some(Password::Locked) => CodeNeed::Closed(
            "root is locked, and rescue mode asks for the password of root".to_owned(),
        ),
        None => CodeNeed::Unknown(
            "rescue mode asks for the password of root, which only root can see in /etc/shadow"
                .to_owned(),
        ),
    }
}

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
        assert_eq!(code(Some(Password::Set)), CodeNeed::NotAsked);
        assert!(matches!(code(Some(Password::Locked)), CodeNeed::Closed(_)));
        assert!(matches!(code(None), CodeNeed::Unknown(_)));
    }
}
