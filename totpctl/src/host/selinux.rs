//! SELinux, as the kernel of this host has it.

pub(crate) mod confined_users;
pub(crate) mod login_services;

use std::fs;
use std::path::Path;

pub(crate) fn is_enforcing() -> bool {
    fs::read_to_string("/sys/fs/selinux/enforce").is_ok_and(|on| on == "1")
}

/// Returns the SELinux context of a file.
pub(crate) fn label(path: &Path) -> Option<String> {
    let mut value = [0; MAX_CONTEXT_BYTES];
    let length = rustix::fs::getxattr(path, "security.selinux", &mut value).ok()?;
    let context = value.get(..length)?;
    Some(String::from_utf8_lossy(context).trim_end_matches('\0').to_owned())
}

const MAX_CONTEXT_BYTES: usize = 1024;
