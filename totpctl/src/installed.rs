//! The paths of the installed programs. Their prefix is chosen at build time (`make PREFIX=…`),
//! never by the environment of a caller.

use std::path::{Path, PathBuf};

/// Returns the path of the daemon.
pub(crate) fn daemon() -> PathBuf {
    Path::new(PREFIX).join("libexec/totpd")
}

/// Returns the path of the program that parses files for `totpctl import`.
pub(crate) fn importer() -> PathBuf {
    Path::new(PREFIX).join("libexec/totp-import")
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
    fn the_daemon_is_named_by_its_path() {
        // Its folder is in no PATH, so the bare name is not found. `make install` puts the prefix.
        for text in [
            include_str!("../../packaging/totpd.toml"),
            include_str!("../../packaging/man/totpd.toml.5"),
            include_str!("../../docs/admin/install.md"),
            include_str!("../../docs/reference/doctor.md"),
        ] {
            let named = text.matches("totpd --check-config").count();
            assert!(named > 0);
            assert_eq!(text.matches("/usr/libexec/totpd --check-config").count(), named);
        }
        let manual = include_str!("../../packaging/man/totpd.8");
        assert!(manual.contains(".Nm /usr/libexec/totpd\n.Op Fl -check-config"));
    }

    #[test]
    fn nixos_has_its_programs_elsewhere() {
        assert!(program_folders_beside("/nix/store/x-totp").contains(&"/run/wrappers/bin"));
        assert_eq!(program_folders_beside("/usr/local"), program_folders_beside("/usr"));
    }
}
