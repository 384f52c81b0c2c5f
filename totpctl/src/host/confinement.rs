//! What confines a process on this host: SELinux, AppArmor.

use std::fs;
use std::path::Path;

use super::process::processes_of;
use super::selinux;

/// The rules that this kernel enforces.
pub(crate) struct Kernel {
    pub(crate) selinux_is_enforcing: bool,
    /// True if AppArmor checks messages on the bus. It does in Ubuntu's kernels, and not in
    /// Debian's.
    pub(crate) apparmor_sees_the_bus: bool,
}

impl Kernel {
    pub(crate) fn of_host() -> Self {
        Self {
            selinux_is_enforcing: selinux::is_enforcing(),
            apparmor_sees_the_bus: Path::new("/sys/kernel/security/apparmor/features/dbus")
                .is_dir(),
        }
    }
}

/// Returns the AppArmor profile or SELinux context of the process of `program` with this uid. The
/// text is empty if the process has none. The function returns nothing if no such process is
/// visible.
pub(crate) fn label_of(program: &Path, uid: u32) -> Option<String> {
    let folder = processes_of(program, uid).into_iter().next()?;
    // The kernel does not offer this file without SELinux and AppArmor.
    let label = fs::read_to_string(folder.join("attr/current")).unwrap_or_default();
    Some(label.trim_end_matches(['\n', '\0']).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_found_by_its_program() {
        let (own, uid) = (std::env::current_exe().unwrap(), nix::unistd::geteuid().as_raw());
        assert!(label_of(&own, uid).is_some());
        assert!(label_of(&own, uid + 1).is_none());
        assert!(label_of(Path::new("/no/such/program"), uid).is_none());
    }
}
