//! The paths of the installed programs. Their prefix is chosen at build time (`make PREFIX=…`),
//! never by the environment of a caller.

use std::path::{Path, PathBuf};

/// Returns the path of the daemon.
pub(crate) fn daemon() -> PathBuf {
    Path::new(PREFIX).join("libexec/totpd")
}

/// Returns the path of totpctl.
pub(crate) fn totpctl() -> PathBuf {
    Path::new(PREFIX).join("bin/totpctl")
}

/// Returns the folders with the programs of the system. Only root writes there.
pub(crate) fn program_folders() -> &'static [&'static str] {
    program_folders_beside(PREFIX)
}

fn program_folders_beside(prefix: &str) -> &'static [&'static str] {
    match prefix.starts_with("/nix/store/") {
        true => &["/run/wrappers/bin", "/run/current-system/sw/bin", "/run/current-system/sw/sbin"],
        false => &["/usr/bin", "/bin", "/usr/sbin", "/sbin"],
    }
}

const PREFIX: &str = match option_env!("TOTPD_PREFIX") {
    Some(prefix) => prefix,
    None => "/usr",
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_below_the_prefix() {
        assert_eq!(daemon(), Path::new(PREFIX).join("libexec").join("totpd"));
        assert!(totpctl().is_absolute());
    }

    #[test]
    fn nixos_has_its_programs_elsewhere() {
        assert!(program_folders_beside("/nix/store/x-totp").contains(&"/run/wrappers/bin"));
        assert_eq!(program_folders_beside("/usr/local"), program_folders_beside("/usr"));
    }
}
